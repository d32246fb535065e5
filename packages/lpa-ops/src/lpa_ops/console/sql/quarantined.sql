SELECT *, '' AS state
FROM livepeer_analytics.streaming_events_quarantine
WHERE ingestion_timestamp >= $since
