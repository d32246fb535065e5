SELECT name, type
FROM system.columns
WHERE database = {database:String} AND table = {name:String}
ORDER BY position
