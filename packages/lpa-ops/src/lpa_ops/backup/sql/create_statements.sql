SELECT name, create_table_query
FROM system.tables
WHERE database = {database:String} AND NOT startsWith(name, '.inner')
ORDER BY endsWith(engine, 'View'), name
