SELECT if(event_type = '', 'unknown', event_type) AS type, count() AS total
FROM streaming_events_dlq
WHERE $__timeFilter(ingestion_timestamp)
    AND $__conditionalAll(event_type IN (${event_type:singlequote}), $event_type)
GROUP BY type
ORDER BY total DESC
LIMIT 15
