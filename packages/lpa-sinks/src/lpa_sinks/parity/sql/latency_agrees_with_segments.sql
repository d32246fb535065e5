-- severity: fail
-- covers: 28
-- meaning: An attributed latency row has the orchestrator, model and GPU of a segment of its session.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT org, workflow_session_id, orchestrator_address, model_id, gpu_id
FROM livepeer_analytics.fact_workflow_latency_samples
WHERE sample_ts >= {start:DateTime('UTC')} AND sample_ts < {end:DateTime('UTC')} AND orchestrator_address != ''
    AND (org, workflow_session_id, orchestrator_address, ifNull(model_id, ''), ifNull(gpu_id, '')) NOT IN (
        SELECT org, workflow_session_id, orchestrator_address, ifNull(model_id, ''), ifNull(gpu_id, '')
        FROM livepeer_analytics.fact_workflow_session_segments
    )
