SELECT place, max(ingestion_timestamp) AS latest, dateDiff('second', latest, now64(3)) AS seconds_ago
FROM
(
    SELECT 'streaming_events' AS place, ingestion_timestamp FROM streaming_events
    UNION ALL
    SELECT 'streaming_events_dlq', ingestion_timestamp FROM streaming_events_dlq
    UNION ALL
    SELECT 'streaming_events_quarantine', ingestion_timestamp FROM streaming_events_quarantine
    UNION ALL
    SELECT 'fact_stream_status_samples', ingestion_timestamp FROM fact_stream_status_samples
    UNION ALL
    SELECT 'agg_stream_performance_1m', ingestion_timestamp FROM agg_stream_performance_1m
)
WHERE $__timeFilter(ingestion_timestamp)
GROUP BY place
ORDER BY latest
