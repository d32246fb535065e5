-- Every range of the last day that brought capabilities.
SELECT DISTINCT source_topic, source_partition, toUnixTimestamp64Milli(ingestion_timestamp) AS batch_time
FROM
(
    SELECT source_topic, source_partition, ingestion_timestamp FROM $database.network_capabilities
    UNION ALL
    SELECT source_topic, source_partition, ingestion_timestamp FROM $database.network_capabilities_advertised
    UNION ALL
    SELECT source_topic, source_partition, ingestion_timestamp FROM $database.network_capabilities_model_constraints
    UNION ALL
    SELECT source_topic, source_partition, ingestion_timestamp FROM $database.network_capabilities_prices
)
WHERE ingestion_timestamp >= now64(3) - INTERVAL 1 DAY
