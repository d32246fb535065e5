SELECT count()
FROM $table
WHERE ingestion_timestamp > fromUnixTimestamp64Milli({since:Int64})
