-- Tables and views that the user may see.
SELECT
    name,
    engine LIKE '%View' AS is_view,
    name IN
    (
        SELECT table FROM system.columns WHERE database = {database:String} AND name = 'ingestion_timestamp'
    ) AS has_times
FROM system.tables
WHERE database = {database:String} AND NOT startsWith(name, '.')
ORDER BY name
