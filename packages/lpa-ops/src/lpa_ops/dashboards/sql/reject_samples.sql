SELECT ingestion_timestamp AS time, place, event_type, failure_stage, failure_class, failure_reason, failure_details
FROM
(
    SELECT 'dlq' AS place, ingestion_timestamp, event_type, failure_stage, failure_class, failure_reason, failure_details
    FROM streaming_events_dlq
    UNION ALL
    SELECT 'quarantine', ingestion_timestamp, event_type, failure_stage, failure_class, failure_reason, failure_details
    FROM streaming_events_quarantine
)
WHERE $__timeFilter(ingestion_timestamp)
    AND $__conditionalAll(event_type IN (${event_type:singlequote}), $event_type)
ORDER BY time DESC
LIMIT 50
