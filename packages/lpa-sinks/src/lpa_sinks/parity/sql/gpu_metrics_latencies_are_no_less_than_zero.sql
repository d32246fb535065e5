-- severity: fail
-- covers: 63
-- meaning: No latency is negative, and one is there exactly where sessions have it.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT window_start, orchestrator_address, pipeline, model_id, gpu_id, region, prompt_to_first_frame_ms,
    startup_time_ms, e2e_latency_ms
FROM livepeer_analytics.v_api_gpu_metrics
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND (
    prompt_to_first_frame_ms < 0 OR startup_time_ms < 0 OR e2e_latency_ms < 0
    OR (valid_prompt_to_first_frame_count > 0) != isNotNull(prompt_to_first_frame_ms)
    OR (valid_startup_time_count > 0) != isNotNull(startup_time_ms)
    OR (valid_e2e_latency_count > 0) != isNotNull(e2e_latency_ms)
)
