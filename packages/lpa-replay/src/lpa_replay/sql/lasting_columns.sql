-- A version of a derived row is the time at which it was derived.
SELECT name
FROM system.columns
WHERE database = {database:String} AND table = {table:String} AND NOT (name = 'version' AND type = 'UInt64')
    AND default_kind != 'ALIAS'
ORDER BY position
