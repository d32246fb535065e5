-- The open streams: sessions with a status sample in the last half hour that nobody has closed. The latest come first.
SELECT
    workflow_session_id AS id,
    org,
    last.1 AS pipeline,
    ifNull(last.2, '') AS model,
    last.3 AS gateway,
    last.4 AS orchestratorUrl,
    last.5 AS state,
    last.6 AS inputFps,
    last.7 AS outputFps,
    session_start_ts AS firstSeen,
    last_seen AS lastSeen,
    dateDiff('millisecond', session_start_ts, last_seen) / 1000 AS durationSeconds
FROM
(
    SELECT
        org,
        workflow_session_id,
        argMax(
            (pipeline, model_id, gateway, orchestrator_url, state, input_fps, output_fps), (sample_ts, source_event_uid)
        ) AS last,
        max(sample_ts) AS last_seen
    FROM fact_stream_status_samples
    WHERE sample_ts > fromUnixTimestamp64Milli({now:Int64} - 1800000, 'UTC')
        AND sample_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        AND (NOT {org_wanted:Bool} OR org = {org:String})
    GROUP BY org, workflow_session_id
) AS sample
INNER JOIN
(
    SELECT org, workflow_session_id, session_start_ts
    FROM fact_workflow_sessions
    WHERE workflow_session_id IN (
        SELECT workflow_session_id
        FROM fact_stream_status_samples
        WHERE sample_ts > fromUnixTimestamp64Milli({now:Int64} - 1800000, 'UTC')
            AND sample_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    )
) AS session USING (org, workflow_session_id)
WHERE (org, workflow_session_id) NOT IN (
    SELECT org, workflow_session_id
    FROM fact_lifecycle_edge_coverage
    WHERE is_terminal_signal = 1
        AND signal_ts > fromUnixTimestamp64Milli({now:Int64} - 1800000, 'UTC')
        AND signal_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
)
ORDER BY last_seen DESC, org, workflow_session_id
LIMIT {rows:UInt32}
