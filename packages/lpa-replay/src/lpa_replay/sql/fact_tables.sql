SELECT DISTINCT table
FROM system.columns
WHERE database = {database:String} AND name = 'source_event_uid' AND startsWith(table, 'fact_')
    AND NOT endsWith(table, '_versions')
ORDER BY table
