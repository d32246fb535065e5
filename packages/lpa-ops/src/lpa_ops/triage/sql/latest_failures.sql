SELECT
  event_id,
  event_type,
  failure_class,
  failure_reason,
  payload_body
FROM livepeer_analytics.streaming_events_dlq
WHERE ingestion_timestamp >= now() - INTERVAL 1 HOUR
ORDER BY ingestion_timestamp DESC
LIMIT 20;
