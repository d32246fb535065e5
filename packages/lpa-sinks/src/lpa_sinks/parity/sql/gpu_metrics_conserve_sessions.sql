-- severity: fail
-- covers: 47
-- meaning: Summed over GPUs, v_api_gpu_metrics has the known sessions with orchestrator and GPU of the hour.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT window_start, org, groupArray((source, known)) AS found
FROM
(
    SELECT 'view' AS source, window_start, org, sum(known_sessions) AS known
    FROM livepeer_analytics.v_api_gpu_metrics
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY window_start, org
    HAVING known > 0
    UNION ALL
    SELECT 'facts', toStartOfHour(session_start_ts) AS hour, org, sum(known_stream) AS known
    FROM livepeer_analytics.fact_workflow_sessions
    WHERE toStartOfHour(session_start_ts) >= {start:DateTime('UTC')}
        AND toStartOfHour(session_start_ts) < {end:DateTime('UTC')} AND orchestrator_address != ''
        AND ifNull(gpu_id, '') != ''
    GROUP BY hour, org
    HAVING known > 0
)
GROUP BY window_start, org
HAVING count() != 2 OR uniqExact(known) != 1
