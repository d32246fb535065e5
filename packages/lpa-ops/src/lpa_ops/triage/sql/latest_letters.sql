SELECT
  event_id,
  event_type,
  failure_class,
  failure_reason,
  payload_body,
  failure_details,
  source_topic,
  source_partition,
  source_offset,
  ingestion_timestamp,
  payload_encoding,
  payload_size,
  payload_truncated
FROM livepeer_analytics.streaming_events_dlq
WHERE ingestion_timestamp >= now() - INTERVAL 1 HOUR
ORDER BY ingestion_timestamp DESC, source_topic, source_partition, source_offset DESC
LIMIT 20;
