SELECT '$table' AS name, min(ingestion_timestamp) AS oldest_at, max(ingestion_timestamp) AS latest_at FROM livepeer_analytics.$table
