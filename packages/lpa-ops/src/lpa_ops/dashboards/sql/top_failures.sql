SELECT failure_stage, failure_class, failure_reason, failure_details, count() AS total
FROM streaming_events_dlq
WHERE $__timeFilter(ingestion_timestamp)
    AND $__conditionalAll(event_type IN (${event_type:singlequote}), $event_type)
GROUP BY failure_stage, failure_class, failure_reason, failure_details
ORDER BY total DESC
LIMIT 20
