-- What became of the records of each step of time. A duplicate that a replay brought, and a record that replays gave up,
-- came in before.
SELECT
    intDiv(toUnixTimestamp64Milli(at), {step:Int64}) * {step:Int64} AS start_ms,
    sumIf(records, outcome = 'accepted') AS accepted,
    sumIf(records, outcome = 'dead-lettered') AS dead_lettered,
    sumIf(records, outcome = 'quarantined') AS quarantined,
    sumIf(records, outcome = 'ignored') AS ignored
FROM
(
    SELECT 'accepted' AS outcome, ingestion_timestamp AS at, 1 AS records
    FROM livepeer_analytics.streaming_events
    WHERE at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    UNION ALL
    SELECT 'dead-lettered', ingestion_timestamp AS at, 1
    FROM livepeer_analytics.streaming_events_dlq
    WHERE at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    UNION ALL
    SELECT 'quarantined', ingestion_timestamp AS at, 1
    FROM livepeer_analytics.streaming_events_quarantine
    WHERE replay = 0 AND failure_class != 'REPLAY_EXHAUSTED'
        AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    UNION ALL
    SELECT 'ignored', ingestion_timestamp AS at, records
    FROM livepeer_analytics.ignored_event_counts
    WHERE at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
)
GROUP BY start_ms
ORDER BY start_ms
