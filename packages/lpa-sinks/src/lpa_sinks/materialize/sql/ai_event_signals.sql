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
    -- An error may name an orchestrator that the stream never had.
    if(lower(event_type) = 'error', '', orchestrator_address) AS wallet,
    if(lower(event_type) = 'error', '', orchestrator_url) AS url,
    event_type,
    message
FROM $database.ai_stream_events
WHERE $rows
