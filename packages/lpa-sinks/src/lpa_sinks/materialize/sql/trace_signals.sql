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
    orchestrator_address,
    orchestrator_url,
    trace_type,
    toUnixTimestamp64Milli(data_timestamp) AS stepped
FROM $database.stream_trace_events
WHERE $rows
