SELECT DISTINCT event_type
FROM
(
    SELECT event_type, ingestion_timestamp FROM streaming_events_dlq
    UNION ALL
    SELECT event_type, ingestion_timestamp FROM streaming_events_quarantine
)
WHERE $__timeFilter(ingestion_timestamp)
ORDER BY event_type
