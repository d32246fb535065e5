SELECT toString(source_topic) AS source_topic, source_partition, max(source_offset) + 1 AS stored
FROM
(
    SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events
    UNION ALL
    SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events_dlq
    UNION ALL
    SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events_quarantine
)
WHERE source_topic IN {topics:Array(String)}
GROUP BY source_topic, source_partition
