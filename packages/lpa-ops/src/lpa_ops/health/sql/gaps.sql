SELECT previous + 1 AS first, source_offset - 1 AS last
FROM
(
    SELECT
        source_offset,
        lagInFrame(source_offset, 1, source_offset) OVER (ORDER BY source_offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
    FROM
    (
        SELECT source_topic, source_partition, source_offset, ingestion_timestamp FROM livepeer_analytics.streaming_events
        UNION ALL
        SELECT source_topic, source_partition, source_offset, ingestion_timestamp FROM livepeer_analytics.streaming_events_dlq
        UNION ALL
        SELECT source_topic, source_partition, source_offset, ingestion_timestamp
        FROM livepeer_analytics.streaming_events_quarantine
    )
    WHERE source_topic = {topic:String}
        AND source_partition = {partition:UInt32}
        AND source_offset BETWEEN {first:UInt64} AND {last:UInt64}
)
WHERE source_offset > previous + 1
ORDER BY first
LIMIT {limit:UInt32}
