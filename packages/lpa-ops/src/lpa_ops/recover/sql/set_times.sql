ALTER TABLE $table
UPDATE ingestion_timestamp = fromUnixTimestamp64Milli({now:Int64}, 'UTC')
WHERE ingestion_timestamp > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
