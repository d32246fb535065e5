-- The projected tables and those of jobs that have such rows, and the first and last batch time of these.
SELECT
    stored,
    toUnixTimestamp64Milli(min(ingestion_timestamp)) AS earliest,
    toUnixTimestamp64Milli(max(ingestion_timestamp)) AS latest
FROM
(
    SELECT 'stream_ingest_metrics' AS stored, ingestion_timestamp FROM $database.stream_ingest_metrics WHERE $rows
    UNION ALL
    SELECT 'network_capabilities' AS stored, ingestion_timestamp FROM $database.network_capabilities WHERE $rows
    UNION ALL
    SELECT 'network_capabilities_advertised' AS stored, ingestion_timestamp FROM $database.network_capabilities_advertised WHERE $rows
    UNION ALL
    SELECT 'network_capabilities_model_constraints' AS stored, ingestion_timestamp FROM $database.network_capabilities_model_constraints WHERE $rows
    UNION ALL
    SELECT 'network_capabilities_prices' AS stored, ingestion_timestamp FROM $database.network_capabilities_prices WHERE $rows
    UNION ALL
    SELECT 'ai_batch_requests' AS stored, ingestion_timestamp FROM $database.ai_batch_requests WHERE $rows
    UNION ALL
    SELECT 'ai_llm_requests' AS stored, ingestion_timestamp FROM $database.ai_llm_requests WHERE $rows
    UNION ALL
    SELECT 'job_gateway_events' AS stored, ingestion_timestamp FROM $database.job_gateway_events WHERE $rows
    UNION ALL
    SELECT 'job_orchestrator_events' AS stored, ingestion_timestamp FROM $database.job_orchestrator_events WHERE $rows
    UNION ALL
    SELECT 'job_payment_events' AS stored, ingestion_timestamp FROM $database.job_payment_events WHERE $rows
    UNION ALL
    SELECT 'worker_lifecycle_events' AS stored, ingestion_timestamp FROM $database.worker_lifecycle_events WHERE $rows
)
GROUP BY stored
