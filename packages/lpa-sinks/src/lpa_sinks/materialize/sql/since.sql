ingestion_timestamp >= fromUnixTimestamp64Milli({first:Int64})
