SELECT source_partition, min(source_offset) AS lowest, max(source_offset) AS highest
FROM $table
WHERE source_topic = {topic:String}
    AND source_offset >= {least:UInt64}
    AND source_offset >= transform(
        toUInt64(source_partition),
        {partitions:Array(UInt64)},
        {first:Array(UInt64)},
        toUInt64(18446744073709551615)
    )
GROUP BY source_partition
