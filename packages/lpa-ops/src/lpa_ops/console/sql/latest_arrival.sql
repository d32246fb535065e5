-- When the latest accepted event came, of those since a moment.
SELECT max(ingestion_timestamp) AS at
FROM livepeer_analytics.streaming_events
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
