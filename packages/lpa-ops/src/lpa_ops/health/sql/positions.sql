-- A bitmap of consecutive offsets is small however many there are.
SELECT
    source_topic,
    source_partition,
    count() AS rows,
    groupBitmap(source_offset) AS positions,
    min(source_offset) AS first,
    max(source_offset) AS last
FROM
(
    SELECT source_topic, source_partition, source_offset, ingestion_timestamp FROM livepeer_analytics.streaming_events
    UNION ALL
    SELECT source_topic, source_partition, source_offset, ingestion_timestamp FROM livepeer_analytics.streaming_events_dlq
    UNION ALL
    SELECT source_topic, source_partition, source_offset, ingestion_timestamp
    FROM livepeer_analytics.streaming_events_quarantine
    WHERE failure_class != 'REPLAY_EXHAUSTED' -- beside its dead letter, which holds the position
)
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND ingestion_timestamp <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    AND source_offset < transform(
        concat(source_topic, '[', toString(source_partition), ']'), {consumed:Array(String)}, {committed:Array(UInt64)}, {rest:UInt64})
GROUP BY source_topic, source_partition
ORDER BY source_topic, source_partition
