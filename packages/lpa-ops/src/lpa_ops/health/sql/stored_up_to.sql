SELECT toString(source_topic) AS source_topic, source_partition, max(source_offset) + 1 AS stored
FROM
(
    SELECT source_topic, source_partition, source_offset, ingestion_timestamp FROM livepeer_analytics.streaming_events
    UNION ALL
    SELECT source_topic, source_partition, source_offset, ingestion_timestamp FROM livepeer_analytics.streaming_events_dlq
    UNION ALL
    SELECT source_topic, source_partition, source_offset, ingestion_timestamp
    FROM livepeer_analytics.streaming_events_quarantine
)
WHERE source_topic IN {topics:Array(String)}
    AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND ingestion_timestamp <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY source_topic, source_partition
