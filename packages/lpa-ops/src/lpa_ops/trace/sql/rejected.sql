-- Rejects of one table at some positions.
SELECT
    {table_name:String} AS table_name,
    toString(source_topic) AS topic,
    source_partition AS partition,
    source_offset AS offset,
    toString(org) AS org,
    event_id,
    toString(event_type) AS event_type,
    event_timestamp,
    source_record_timestamp AS record_timestamp,
    ingestion_timestamp AS batch_time,
    toString(failure_stage) AS failure_stage,
    toString(failure_class) AS failure_class,
    failure_reason,
    failure_details,
    ifNull(dedup_key, '') AS dedup_key,
    ifNull(dedup_strategy, '') AS dedup_strategy,
    ifNull(replay_id, '') AS replay_id,
    attempt,
    if(replay = 1, simpleJSONExtractString(payload_body, '__replay_origin'), '') AS origin,
    substringUTF8(payload_body, 1, 4096) AS payload,
    toString(payload_encoding) AS payload_encoding,
    payload_size,
    $traceparent AS traceparent
FROM $database.$table
WHERE $at_positions
