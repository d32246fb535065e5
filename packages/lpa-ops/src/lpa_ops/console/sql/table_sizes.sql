-- Rows and bytes of this server.
SELECT table AS name, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE active AND database = {database:String}
GROUP BY table
