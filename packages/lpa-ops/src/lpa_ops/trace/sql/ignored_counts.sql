-- Which rules ignored records of some ranges.
SELECT
    toString(source_topic) AS topic,
    source_partition AS partition,
    toUnixTimestamp64Milli(ingestion_timestamp) AS batch_ms,
    arraySort(groupUniqArray(toString(ignore_reason))) AS reasons
FROM $database.ignored_event_counts
WHERE $in_batches
GROUP BY topic, partition, batch_ms
