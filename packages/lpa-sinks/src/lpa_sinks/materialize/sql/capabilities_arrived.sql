SELECT
    org,
    local_address,
    orchestrator_address,
    orch_uri,
    pipeline,
    model_id,
    gpu_id,
    arraySort(groupUniqArray(toUnixTimestamp64Milli(event_timestamp))) AS snapshots
FROM $database.network_capabilities
WHERE $rows
GROUP BY org, local_address, orchestrator_address, orch_uri, pipeline, model_id, gpu_id
