-- severity: fail
-- covers: 37
-- meaning: The hour in which an attributed session started well is in v_api_gpu_metrics.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT workflow_session_id, window_start, org, orchestrator_address, pipeline, gpu_id
FROM livepeer_analytics.v_session_outcomes
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND startup_success_sessions = 1
    AND orchestrator_address != '' AND pipeline != '' AND gpu_id != ''
    AND (window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region) NOT IN (
        SELECT window_start, org, orchestrator_address, pipeline, ifNull(model_id, ''), gpu_id, ifNull(region, '')
        FROM livepeer_analytics.v_api_gpu_metrics
        WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    )
