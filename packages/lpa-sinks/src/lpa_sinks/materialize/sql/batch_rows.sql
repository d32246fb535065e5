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
    pipeline,
    model_id,
    tries,
    duration_ms,
    price_per_unit,
    error_type
FROM $database.ai_batch_requests
WHERE $rows
