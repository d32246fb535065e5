-- severity: fail
-- covers: 7
-- meaning: Where statuses, traces or AI events were accepted, the facts made of them are not empty.
-- to do: see whether lpa materialize runs, then lpa materialize rebuild for the window
SELECT signal, facts, events.events AS events
FROM
(
    SELECT 'ai_stream_status' AS signal, 'fact_stream_status_samples' AS facts
    WHERE (SELECT count() FROM livepeer_analytics.fact_stream_status_samples WHERE sample_ts >= {start:DateTime('UTC')} AND sample_ts < {end:DateTime('UTC')}) = 0
    UNION ALL
    SELECT 'stream_trace', 'fact_stream_trace_edges'
    WHERE (SELECT count() FROM livepeer_analytics.fact_stream_trace_edges WHERE edge_ts >= {start:DateTime('UTC')} AND edge_ts < {end:DateTime('UTC')}) = 0
    UNION ALL
    SELECT arrayJoin(['ai_stream_status', 'stream_trace', 'ai_stream_events']), 'fact_workflow_sessions'
    WHERE (SELECT count() FROM livepeer_analytics.fact_workflow_sessions WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}) = 0
) AS missing
INNER JOIN
(
    SELECT type, count() AS events
    FROM livepeer_analytics.streaming_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    GROUP BY type
) AS events ON events.type = missing.signal
