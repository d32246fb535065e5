SELECT table, name, bytes_on_disk AS bytes
FROM system.parts
WHERE database = {database:String} AND active AND table IN
(
    SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'
)
