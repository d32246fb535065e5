SELECT
    count(),
    toUnixTimestamp64Milli(min(ingestion_timestamp)),
    toUnixTimestamp64Milli(max(ingestion_timestamp))
FROM $table
WHERE ingestion_timestamp > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
