SELECT name, engine
FROM system.tables
WHERE database = {database:String} AND engine LIKE '%MergeTree' AND NOT startsWith(name, '.inner')
ORDER BY name
