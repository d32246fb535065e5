-- Known gaps that some positions lie in.
SELECT at.1 AS topic, at.2 AS partition, at.3 AS offset, toString(reason) AS reason, ingestion_timestamp AS batch_time
FROM $database.known_gaps
ARRAY JOIN arrayZip({topics:Array(String)}, {partitions:Array(UInt32)}, {offsets:Array(UInt64)}) AS at
WHERE has({topics:Array(String)}, toString(source_topic))
    AND source_partition IN {partitions:Array(UInt32)}
    AND source_offset <= arrayMax({offsets:Array(UInt64)})
    AND next_offset > arrayMin({offsets:Array(UInt64)})
    AND toString(source_topic) = at.1
    AND source_partition = at.2
    AND source_offset <= at.3
    AND next_offset > at.3
