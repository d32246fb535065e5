SELECT name, toString(uuid)
FROM system.tables
WHERE database = {database:String}
ORDER BY name
