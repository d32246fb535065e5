SELECT source_topic, source_partition, source_offset
FROM livepeer_analytics.$table
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND ({reason:String} = '' OR failure_reason = {reason:String})
ORDER BY ingestion_timestamp DESC, source_topic, source_partition, source_offset DESC
LIMIT 1
