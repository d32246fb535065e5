-- severity: fail
-- covers: 22, 23
-- meaning: A session's pipeline is not its model label, whether it is attributed or not.
-- to do: see the setting that says what data.pipeline means, then lpa materialize rebuild for the window; if it
--   fails again, it is a defect of the fold or of the schema
SELECT org, workflow_session_id, gpu_attribution_method, pipeline, model_id
FROM livepeer_analytics.fact_workflow_sessions
WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')} AND pipeline != ''
    AND lower(pipeline) = lower(ifNull(model_id, ''))
