SELECT
    org,
    $job_id AS job_id,
    toUnixTimestamp64Milli(ingestion_timestamp) AS ingested,
    toUnixTimestamp64Milli(event_timestamp) AS happened,
    raw_event_uid,
    source_topic,
    source_partition,
    source_offset,
    request_id,
    gateway,
    subtype,
    orchestrator_url,
    success,
    error,
    capability,
    orchestrator_address,
    attempt_index,
    duration_ms,
    http_status,
    orch_url
FROM $database.job_gateway_events
WHERE $rows
