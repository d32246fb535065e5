SELECT
    segment_index AS segment,
    segment_start_ts AS start,
    segment_end_ts AS end,
    reason,
    orchestrator_address AS orchestrator,
    pipeline,
    ifNull(model_id, '') AS model,
    ifNull(gpu_id, '') AS gpu,
    gpu_attribution_method AS attribution,
    gpu_attribution_confidence AS confidence,
    attribution_status AS status
FROM livepeer_analytics.fact_workflow_session_segments
WHERE org = {org:String} AND workflow_session_id = {session:String}
ORDER BY segment_index
