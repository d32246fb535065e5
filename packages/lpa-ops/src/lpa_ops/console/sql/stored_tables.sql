-- Tables and views. Rows and bytes are those of this server.
SELECT
    tables.name AS name,
    tables.engine LIKE '%View' AS is_view,
    parts.rows AS rows,
    parts.bytes AS bytes,
    parts.oldest AS oldest_partition,
    if(parts.latest = toDateTime(0), NULL, parts.latest) AS latest_part_at
FROM system.tables AS tables
LEFT JOIN
(
    SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, min(partition) AS oldest, max(modification_time) AS latest
    FROM system.parts
    WHERE active AND database = {database:String}
    GROUP BY table
) AS parts ON parts.table = tables.name
WHERE tables.database = {database:String} AND NOT startsWith(tables.name, '.')
ORDER BY name
