source_offset < arrayConcat([0], {offsets:Array(UInt64)})[
    indexOf(arrayZip({topics:Array(String)}, {partitions:Array(UInt32)}), (toString(source_topic), source_partition)) + 1
]
