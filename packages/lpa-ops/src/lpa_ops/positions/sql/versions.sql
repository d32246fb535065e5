-- What is stored of each position of a span, the first that came before the others.
SELECT
    source_offset,
    toUnixTimestamp64Milli(ingestion_timestamp) AS batch_time,
    place,
    any(dedup_key),
    count()
FROM ($versions)
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset >= {first:UInt64}
    AND source_offset < {behind:UInt64}
GROUP BY source_offset, batch_time, place
ORDER BY source_offset, batch_time, place
