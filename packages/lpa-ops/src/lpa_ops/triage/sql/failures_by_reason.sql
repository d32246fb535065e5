SELECT
  failure_class,
  failure_reason,
  count() AS total
FROM livepeer_analytics.streaming_events_dlq
WHERE ingestion_timestamp >= now() - INTERVAL 1 HOUR
GROUP BY failure_class, failure_reason
ORDER BY total DESC;
