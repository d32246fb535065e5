SELECT source_offset
FROM $table
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset BETWEEN {first:UInt64} AND {last:UInt64}
    AND toUnixTimestamp64Milli(ingestion_timestamp) = {batch_time:Int64}
UNION DISTINCT
SELECT source_offset
FROM $withdrawn
WHERE table_name = {table_name:String}
    AND source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset BETWEEN {first:UInt64} AND {last:UInt64}
