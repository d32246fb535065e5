-- Before the table was made nobody wrote gaps down.
SELECT toUnixTimestamp(metadata_modification_time) * 1000
FROM system.tables
WHERE database = {database:String} AND name = {table:String}
