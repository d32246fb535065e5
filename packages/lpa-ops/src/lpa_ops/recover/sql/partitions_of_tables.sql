SELECT DISTINCT table, partition_id
FROM system.parts
WHERE database = {database:String} AND active AND has({tables:Array(String)}, table)
ORDER BY table, partition_id
