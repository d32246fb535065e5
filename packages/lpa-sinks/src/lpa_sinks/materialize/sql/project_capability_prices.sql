-- Snapshots of the network_capabilities_prices that arrived in [from, to). Doing it again changes nothing that is read.
INSERT INTO $database.dim_orchestrator_capability_prices_versions
(
    snapshot_ts, org, org_key, source_event_uid, orchestrator_address, orchestrator_proxy_address, orchestrator_url,
    capability_id, capability_name, capability_group, capability_catalog_version, constraint_name, price_per_unit,
    pixels_per_unit, ingestion_timestamp, version
)
SELECT
    event_timestamp,
    org,
    org,
    raw_event_uid,
    orchestrator_address,
    local_address,
    orch_uri,
    capability_id,
    if(capability_name = '', 'unknown', capability_name),
    if(capability_group = '', 'unknown', capability_group),
    capability_catalog_version,
    constraint_name,
    price_per_unit,
    pixels_per_unit,
    ingestion_timestamp,
    toUInt64(toUnixTimestamp64Micro(now64(6)))
FROM $database.network_capabilities_prices
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND ingestion_timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
