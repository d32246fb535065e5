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
    worker_url,
    duration_ms,
    http_status,
    price_per_unit,
    pixels_per_unit
FROM $database.job_orchestrator_events
WHERE $rows
