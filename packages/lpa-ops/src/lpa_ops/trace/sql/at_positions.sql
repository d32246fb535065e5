source_offset IN {offsets:Array(UInt64)}
AND has(
    arrayZip({topics:Array(String)}, {partitions:Array(UInt32)}, {offsets:Array(UInt64)}),
    (toString(source_topic), source_partition, source_offset))
