-- Per hour: sessions that started, how many of those that are known failed, status samples, and what tickets were worth.
SELECT
    window_start AS hour,
    sum(sessions) AS sessions,
    sum(known) AS known,
    sum(failed) AS failed,
    sum(samples) AS samples,
    sum(fees_eth) AS fees_eth
FROM
(
    SELECT
        window_start, known_sessions AS sessions, known_sessions AS known, known_effective_failed_sessions AS failed,
        toUInt64(0) AS samples, 0. AS fees_eth
    FROM v_session_outcomes
    WHERE window_start >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND window_start < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
        AND (NOT {org_wanted:Bool} OR org = {org:String})
        AND (NOT {pipeline_wanted:Bool} OR pipeline = {pipeline:String})
        AND (NOT {model_wanted:Bool} OR model_id = {model:String})
    UNION ALL
    SELECT window_start, 0, 0, 0, sample_count, 0
    FROM agg_session_performance_1h
    WHERE window_start >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND window_start < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
        AND (NOT {org_wanted:Bool} OR org = {org:String})
        AND (NOT {pipeline_wanted:Bool} OR pipeline = {pipeline:String})
        AND (NOT {model_wanted:Bool} OR ifNull(model_id, '') = {model:String})
    UNION ALL
    -- Whose payments they are has to be looked up only where a label is wanted.
    SELECT window_start, 0, 0, 0, 0, toFloat64(expected_fee_wei) / 1e18
    FROM v_request_fees
    WHERE ({pipeline_wanted:Bool} OR {model_wanted:Bool})
        AND window_start >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND window_start < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
        AND (NOT {org_wanted:Bool} OR org = {org:String})
        AND (NOT {pipeline_wanted:Bool} OR pipeline = {pipeline:String})
        AND (NOT {model_wanted:Bool} OR model_id = {model:String})
    UNION ALL
    SELECT
        toStartOfInterval(event_timestamp, INTERVAL 3600000 MILLISECOND) AS window_start, 0, 0, 0, 0,
        toFloat64(sum(expected_fee_wei)) / 1e18
    FROM payment_events
    WHERE NOT ({pipeline_wanted:Bool} OR {model_wanted:Bool})
        AND event_timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND event_timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
        AND (NOT {org_wanted:Bool} OR org = {org:String})
    GROUP BY window_start
)
GROUP BY hour
ORDER BY hour
