SELECT dedup_key
FROM $raw
WHERE dedup_key IN {keys:Array(String)}
    AND org IN (SELECT org FROM $raw WHERE source_topic IN {topics:Array(String)})
GROUP BY dedup_key
HAVING uniqExact(source_topic, source_partition, source_offset) > 1
    OR NOT has(
        arrayZip({topics:Array(String)}, {partitions:Array(UInt32)}, {offsets:Array(UInt64)}),
        (toString(any(source_topic)), any(source_partition), any(source_offset))
    )
