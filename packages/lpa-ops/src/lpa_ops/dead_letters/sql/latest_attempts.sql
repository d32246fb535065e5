-- A row for each record that was dead-lettered from $since on, as its latest attempt left it, with its origin: the
-- record that a replay's attempt was made of.
SELECT
    *,
    if(
        replay = 1 AND simpleJSONHas(payload_body, '__replay_origin'),
        simpleJSONExtractString(payload_body, '__replay_origin'),
        concat(source_topic, ':', toString(source_partition), ':', toString(source_offset))) AS origin
FROM livepeer_analytics.streaming_events_dlq
WHERE ingestion_timestamp >= $since
QUALIFY attempt = max(attempt) OVER (PARTITION BY origin)
