-- severity: fail
-- covers: 25
-- meaning: Every session has one latency row, of the same orchestrator, pipeline, model and GPU, and every latency
--   row its session.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT org, workflow_session_id, groupUniqArray(source) AS sources, groupUniqArray(identity) AS identities
FROM
(
    SELECT
        org, workflow_session_id, 'session' AS source,
        (orchestrator_address, pipeline, ifNull(model_id, ''), ifNull(gpu_id, ''), session_start_ts) AS identity
    FROM livepeer_analytics.fact_workflow_sessions
    WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        org, workflow_session_id, 'latency',
        (orchestrator_address, pipeline, ifNull(model_id, ''), ifNull(gpu_id, ''), sample_ts)
    FROM livepeer_analytics.fact_workflow_latency_samples
    WHERE sample_ts >= {start:DateTime('UTC')} AND sample_ts < {end:DateTime('UTC')}
)
GROUP BY org, workflow_session_id
HAVING length(sources) != 2 OR length(identities) != 1
