SELECT max(ingestion_timestamp) AS at FROM livepeer_analytics.streaming_events
