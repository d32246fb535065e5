-- Positions of the copies that replays sent of some records.
SELECT DISTINCT topic, partition, offset
FROM
(
    SELECT toString(source_topic) AS topic, source_partition AS partition, source_offset AS offset
    FROM $database.streaming_events
    WHERE replay = 1
        AND dedup_key IN {keys:Array(String)}
        AND dedup_key_hash IN (SELECT xxHash32(arrayJoin({keys:Array(String)})))
        AND simpleJSONExtractString(raw_json, '__replay_origin') IN {origins:Array(String)}
    UNION ALL
    SELECT toString(source_topic), source_partition, source_offset
    FROM $database.streaming_events_dlq
    WHERE replay = 1
        AND ifNull(replay_id, '') IN {replays:Array(String)}
        AND simpleJSONExtractString(payload_body, '__replay_origin') IN {origins:Array(String)}
    UNION ALL
    SELECT toString(source_topic), source_partition, source_offset
    FROM $database.streaming_events_quarantine
    WHERE replay = 1
        AND ifNull(replay_id, '') IN {replays:Array(String)}
        AND simpleJSONExtractString(payload_body, '__replay_origin') IN {origins:Array(String)}
)
ORDER BY topic, partition, offset
LIMIT 100
