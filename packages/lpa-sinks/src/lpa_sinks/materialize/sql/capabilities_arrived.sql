SELECT
    local_address,
    orchestrator_address,
    orch_uri,
    pipeline,
    model_id,
    gpu_id,
    source_event_id,
    toUnixTimestamp64Milli(event_timestamp) AS snapshot
FROM $database.network_capabilities
WHERE $rows
