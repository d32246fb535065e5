SELECT name
FROM system.tables
WHERE database = {database:String} AND engine = 'View'
ORDER BY name
