SELECT source_offset, next_offset
FROM $table
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset < {end:UInt64}
    AND next_offset > {first:UInt64}
