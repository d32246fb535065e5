-- Ignored records at some positions, of those that are kept.
SELECT
    toString(source_topic) AS topic,
    source_partition AS partition,
    source_offset AS offset,
    toString(org) AS org,
    event_id,
    toString(event_type) AS event_type,
    event_timestamp,
    toString(ignore_reason) AS ignore_reason,
    ingestion_timestamp AS batch_time,
    substringUTF8(payload, 1, 4096) AS beginning,
    length(payload) AS payload_size
FROM $database.ignored_events
WHERE $at_positions
