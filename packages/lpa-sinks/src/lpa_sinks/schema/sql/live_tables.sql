SELECT name, engine, engine_full
FROM system.tables
WHERE database = {database:String} AND name IN {tables:Array(String)}
