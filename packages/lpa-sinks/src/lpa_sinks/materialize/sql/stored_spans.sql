-- The projected tables that have such rows, and the first and last batch time of these.
SELECT
    projected,
    toUnixTimestamp64Milli(min(ingestion_timestamp)) AS earliest,
    toUnixTimestamp64Milli(max(ingestion_timestamp)) AS latest
FROM
(
    SELECT 'stream_ingest_metrics' AS projected, ingestion_timestamp FROM $database.stream_ingest_metrics WHERE $rows
    UNION ALL
    SELECT 'network_capabilities' AS projected, ingestion_timestamp FROM $database.network_capabilities WHERE $rows
    UNION ALL
    SELECT 'network_capabilities_advertised' AS projected, ingestion_timestamp FROM $database.network_capabilities_advertised WHERE $rows
    UNION ALL
    SELECT 'network_capabilities_model_constraints' AS projected, ingestion_timestamp FROM $database.network_capabilities_model_constraints WHERE $rows
    UNION ALL
    SELECT 'network_capabilities_prices' AS projected, ingestion_timestamp FROM $database.network_capabilities_prices WHERE $rows
)
GROUP BY projected
