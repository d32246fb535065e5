-- A record counts once. A duplicate that a replay brought, and a record that replays gave up, came in before.
SELECT
    countIf(NOT before) AS records,
    countIf(NOT before AND place = 'dlq') AS dlq,
    countIf(NOT before AND place = 'quarantine') AS quarantine,
    countIf(before) AS records_before,
    countIf(before AND place = 'dlq') AS dlq_before,
    countIf(before AND place = 'quarantine') AS quarantine_before
FROM
(
    SELECT 'accepted' AS place, ingestion_timestamp FROM livepeer_analytics.streaming_events
    UNION ALL
    SELECT 'dlq', ingestion_timestamp FROM livepeer_analytics.streaming_events_dlq
    UNION ALL
    SELECT 'quarantine', ingestion_timestamp
    FROM livepeer_analytics.streaming_events_quarantine
    WHERE replay = 0 AND failure_class != 'REPLAY_EXHAUSTED'
)
ARRAY JOIN [ingestion_timestamp < fromUnixTimestamp64Milli({since:Int64}, 'UTC')] AS before
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({usual_since:Int64}, 'UTC')
    AND ingestion_timestamp <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
