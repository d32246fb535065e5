ingestion_timestamp >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
AND ingestion_timestamp <= fromUnixTimestamp64Milli({last:Int64}, 'UTC')
AND has({batches:Array(Int64)}, toUnixTimestamp64Milli(ingestion_timestamp))
AND has({topics:Array(String)}, toString(source_topic))
