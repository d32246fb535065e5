SELECT
  ignore_reason,
  event_type,
  event_subtype,
  sum(records) AS total,
  sum(bytes) AS total_bytes,
  max(ingestion_timestamp) AS latest_at
FROM livepeer_analytics.ignored_event_counts
WHERE ingestion_timestamp >= now() - INTERVAL 1 HOUR
GROUP BY ignore_reason, event_type, event_subtype
ORDER BY total DESC, ignore_reason, event_type, event_subtype
LIMIT 1000;
