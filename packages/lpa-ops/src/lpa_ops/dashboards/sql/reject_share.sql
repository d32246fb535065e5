SELECT
    toStartOfFiveMinutes(ingestion_timestamp) AS time,
    countIf(place = 'dlq') / count() AS dead_lettered,
    countIf(place = 'quarantine') / count() AS quarantined
FROM
(
    SELECT 'accepted' AS place, ingestion_timestamp FROM streaming_events
    UNION ALL
    SELECT 'dlq', ingestion_timestamp FROM streaming_events_dlq
    UNION ALL
    SELECT 'quarantine', ingestion_timestamp FROM streaming_events_quarantine
)
WHERE $__timeFilter(ingestion_timestamp)
GROUP BY time
ORDER BY time
