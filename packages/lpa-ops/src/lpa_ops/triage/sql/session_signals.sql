-- What happened, in order; signals in a row that say the same are one row.
WITH
    (SELECT (trimBoth(stream_id), trimBoth(request_id)) FROM livepeer_analytics.fact_workflow_sessions
     WHERE org = {org:String} AND workflow_session_id = {session:String}) AS ids,
    signals AS
    (
        SELECT event_timestamp AS time, 'status' AS signal, concat(state, ifNull(concat(': ', last_error), '')) AS says,
            orchestrator_address AS wallet, output_fps AS fps, source_partition AS p, source_offset AS o
        FROM livepeer_analytics.ai_stream_status
        WHERE org = {org:String} AND trimBoth(stream_id) = ids.1 AND trimBoth(request_id) = ids.2
        UNION ALL
        SELECT if(abs(dateDiff('millisecond', event_timestamp, data_timestamp)) <= 600000, data_timestamp, event_timestamp),
            'trace', trace_type, orchestrator_address, NULL, source_partition, source_offset
        FROM livepeer_analytics.stream_trace_events
        WHERE org = {org:String} AND trimBoth(stream_id) = ids.1 AND trimBoth(request_id) = ids.2
        UNION ALL
        SELECT event_timestamp, 'event', concat(event_type, ': ', message), '', NULL, source_partition, source_offset
        FROM livepeer_analytics.ai_stream_events
        WHERE org = {org:String} AND trimBoth(stream_id) = ids.1 AND trimBoth(request_id) = ids.2
    ),
    runs AS
    (
        SELECT *, sum(begins) OVER (ORDER BY time, p, o) AS run
        FROM
        (
            SELECT *, toUInt8((signal, says, wallet) != lagInFrame((signal, says, wallet), 1, ('', '', '')) OVER (
                ORDER BY time, p, o ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)) AS begins
            FROM signals
        )
    )
SELECT
    min(runs.time) AS first, max(runs.time) AS last, count() AS signals, any(signal) AS kind, any(says) AS what,
    any(wallet) AS named_wallet, round(avg(fps), 1) AS output_fps
FROM runs
GROUP BY run
ORDER BY run
