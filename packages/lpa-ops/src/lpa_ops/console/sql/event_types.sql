SELECT DISTINCT event_type
FROM streaming_events_dlq
WHERE $__timeFilter(ingestion_timestamp)
ORDER BY event_type
