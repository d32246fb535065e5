SELECT count()
FROM system.processes
WHERE arrayExists(prefix -> startsWith(query_id, prefix), {prefixes:Array(String)})
