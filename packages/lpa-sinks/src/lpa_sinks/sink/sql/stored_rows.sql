SELECT '$name' AS table_name, source_offset, max(toUnixTimestamp64Milli(ingestion_timestamp)) AS batch_time
FROM $table
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset >= {first:UInt64}
    AND source_offset < {end:UInt64}
GROUP BY source_offset
