SELECT table, name
FROM system.columns
WHERE database = {database:String} AND default_kind IN ('', 'DEFAULT') AND type NOT LIKE '%AggregateFunction%'
ORDER BY table, position
