-- Which rules ignored records of some ranges.
SELECT
    toString(source_topic) AS topic,
    source_partition AS partition,
    toUnixTimestamp64Milli(ingestion_timestamp) AS batch_ms,
    arraySort(groupUniqArray(toString(ignore_reason))) AS reasons
FROM $database.ignored_event_counts
WHERE has({topics:Array(String)}, toString(source_topic))
    AND ingestion_timestamp >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
    AND ingestion_timestamp <= fromUnixTimestamp64Milli({last:Int64}, 'UTC')
    AND has({batches:Array(Int64)}, toUnixTimestamp64Milli(ingestion_timestamp))
GROUP BY topic, partition, batch_ms
