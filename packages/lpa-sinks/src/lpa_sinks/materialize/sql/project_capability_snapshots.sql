-- Snapshots of the network_capabilities that arrived in [from, to). Doing it again changes nothing that is read.
INSERT INTO $database.dim_orchestrator_capability_snapshots_versions
(
    snapshot_ts, org, org_key, source_event_uid, orchestrator_address, orchestrator_proxy_address, orchestrator_url,
    pipeline, model_id, capability_id, capability_name, capability_group, gpu_id, gpu_name, gpu_memory_total,
    gpu_major, gpu_minor, runner_version, ingestion_timestamp, version
)
SELECT
    event_timestamp,
    org,
    org,
    raw_event_uid,
    orchestrator_address,
    local_address,
    orch_uri,
    pipeline,
    model_id,
    capability_id,
    if(capability_name = '', 'unknown', capability_name),
    if(capability_group = '', 'unknown', capability_group),
    gpu_id,
    gpu_name,
    gpu_memory_total,
    gpu_major,
    gpu_minor,
    runner_version,
    ingestion_timestamp,
    toUInt64(toUnixTimestamp64Micro(now64(6)))
FROM $database.network_capabilities
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND ingestion_timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
