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
    event_type,
    message
FROM $database.ai_stream_events
WHERE $rows
