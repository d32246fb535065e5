SELECT toUnixTimestamp64Milli(ingestion_timestamp) AS batch_time, toString(org) AS org, dedup_key, source_offset
FROM $table
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset >= {first:UInt64}
    AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
ORDER BY batch_time, source_offset
