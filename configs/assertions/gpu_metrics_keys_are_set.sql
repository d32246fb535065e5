-- severity: fail
-- covers: 60
-- meaning: Rows of v_api_gpu_metrics name orchestrator, GPU and hour, and a pipeline or a model.
-- to do: see the capability snapshots of these orchestrators
SELECT window_start, orchestrator_address, pipeline, model_id, gpu_id
FROM livepeer_analytics.v_api_gpu_metrics
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    AND (orchestrator_address = '' OR gpu_id = '' OR (pipeline = '' AND ifNull(model_id, '') = ''))
