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
    finish_reason,
    prompt_tokens,
    completion_tokens,
    total_tokens,
    total_duration_ms,
    ttft_ms
FROM $database.ai_llm_requests
WHERE $rows
