SELECT table, name, type
FROM system.columns
WHERE database = {database:String} AND table IN {tables:Array(String)}
ORDER BY table, position
