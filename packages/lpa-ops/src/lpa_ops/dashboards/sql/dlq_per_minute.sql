SELECT toStartOfMinute(ingestion_timestamp) AS time, count() AS events
FROM streaming_events_dlq
WHERE $__timeFilter(ingestion_timestamp)
    AND $__conditionalAll(event_type IN (${event_type:singlequote}), $event_type)
GROUP BY time
ORDER BY time
