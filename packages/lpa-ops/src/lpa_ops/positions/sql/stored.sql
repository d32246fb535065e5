SELECT groupBitmap(source_offset)
FROM ($positions)
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset >= {first:UInt64}
    AND source_offset < {behind:UInt64}
