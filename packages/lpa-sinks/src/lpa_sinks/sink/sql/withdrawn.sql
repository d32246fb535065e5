SELECT DISTINCT source_offset
FROM $withdrawn
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset >= {first:UInt64}
    AND source_offset < {end:UInt64}
