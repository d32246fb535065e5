SELECT
  event_type,
  failure_class,
  failure_reason,
  failure_details,
  count() AS total
FROM livepeer_analytics.streaming_events_dlq
WHERE ingestion_timestamp >= now() - INTERVAL 1 HOUR
GROUP BY event_type, failure_class, failure_reason, failure_details
ORDER BY total DESC, event_type, failure_class, failure_reason, failure_details
LIMIT 100;
