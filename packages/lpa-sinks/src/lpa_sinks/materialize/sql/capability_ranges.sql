-- Every range of the last day that brought capabilities.
SELECT DISTINCT source_topic, source_partition, toUnixTimestamp64Milli(ingestion_timestamp) AS batch_time
FROM $database.network_capabilities
WHERE ingestion_timestamp >= now64(3) - INTERVAL 1 DAY
