SELECT table, name
FROM system.detached_parts
WHERE database = {database:String} AND coalesce(reason, '') = ''
ORDER BY table, name
