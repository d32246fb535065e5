-- Accepted events at some positions.
SELECT
    toString(source_topic) AS topic,
    source_partition AS partition,
    source_offset AS offset,
    toString(org) AS org,
    id AS event_id,
    toString(type) AS event_type,
    event_timestamp,
    source_record_timestamp AS record_timestamp,
    ingestion_timestamp AS batch_time,
    dedup_key,
    toString(dedup_strategy) AS dedup_strategy,
    replay_id,
    replay_attempt AS attempt,
    if(replay = 1, simpleJSONExtractString(raw_json, '__replay_origin'), '') AS origin,
    substringUTF8(raw_json, 1, 4096) AS payload,
    length(raw_json) AS payload_size
FROM $database.streaming_events
WHERE $at_positions
