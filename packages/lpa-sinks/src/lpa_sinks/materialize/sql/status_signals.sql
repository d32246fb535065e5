SELECT
    stream_id,
    request_id,
    raw_event_uid,
    toUnixTimestamp64Milli(ingestion_timestamp) AS ingested,
    toUnixTimestamp64Milli(event_timestamp) AS happened,
    org,
    source_topic,
    source_partition,
    source_offset,
    gateway,
    pipeline,
    orchestrator_address,
    orchestrator_url,
    state,
    output_fps,
    input_fps,
    last_error,
    toUnixTimestamp64Milli(start_time) AS started
FROM $database.ai_stream_status
WHERE $rows
