SELECT count() AS events
FROM streaming_events_quarantine
WHERE ingestion_timestamp >= $__toTime - INTERVAL 1 HOUR AND ingestion_timestamp <= $__toTime
    AND $__conditionalAll(event_type IN (${event_type:singlequote}), $event_type)
