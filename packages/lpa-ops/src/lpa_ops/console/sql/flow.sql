-- What became of the records of each step of time. A duplicate that a replay brought, and a record that replays gave up,
-- came in before. Each table counts its own steps: millions of rows of four tables in one would be several times as slow.
SELECT
    start_ms,
    sumIf(records, outcome = 'accepted') AS accepted,
    sumIf(records, outcome = 'dead-lettered') AS dead_lettered,
    sumIf(records, outcome = 'quarantined') AS quarantined,
    sumIf(records, outcome = 'ignored') AS ignored
FROM
(
    SELECT 'accepted' AS outcome, intDiv(toUnixTimestamp64Milli(ingestion_timestamp), {step:Int64}) * {step:Int64} AS start_ms,
        count() AS records
    FROM livepeer_analytics.streaming_events
    WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        AND ingestion_timestamp < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    GROUP BY start_ms
    UNION ALL
    SELECT 'dead-lettered', intDiv(toUnixTimestamp64Milli(ingestion_timestamp), {step:Int64}) * {step:Int64} AS start_ms, count()
    FROM livepeer_analytics.streaming_events_dlq
    WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        AND ingestion_timestamp < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    GROUP BY start_ms
    UNION ALL
    SELECT 'quarantined', intDiv(toUnixTimestamp64Milli(ingestion_timestamp), {step:Int64}) * {step:Int64} AS start_ms, count()
    FROM livepeer_analytics.streaming_events_quarantine
    WHERE replay = 0 AND failure_class != 'REPLAY_EXHAUSTED'
        AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        AND ingestion_timestamp < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    GROUP BY start_ms
    UNION ALL
    SELECT 'ignored', intDiv(toUnixTimestamp64Milli(ingestion_timestamp), {step:Int64}) * {step:Int64} AS start_ms, sum(records)
    FROM livepeer_analytics.ignored_event_counts
    WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        AND ingestion_timestamp < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    GROUP BY start_ms
)
GROUP BY start_ms
ORDER BY start_ms
