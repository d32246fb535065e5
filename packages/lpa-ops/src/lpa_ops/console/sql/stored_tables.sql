-- Tables and views. Rows and bytes are those of this server.
SELECT
    tables.name AS name,
    tables.engine LIKE '%View' AS is_view,
    tables.name IN
    (
        SELECT table FROM system.columns WHERE database = {database:String} AND name = 'ingestion_timestamp'
    ) AS has_times,
    parts.rows AS rows,
    parts.bytes AS bytes
FROM system.tables AS tables
LEFT JOIN
(
    SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
    FROM system.parts
    WHERE active AND database = {database:String}
    GROUP BY table
) AS parts ON parts.table = tables.name
WHERE tables.database = {database:String} AND NOT startsWith(tables.name, '.')
ORDER BY name
