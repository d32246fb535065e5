SELECT
    window_start AS day,
    pipeline,
    model_id,
    prompt_to_first_frame_rows,
    prompt_to_first_frame_ms_p50,
    prompt_to_first_frame_ms_p90,
    e2e_latency_rows,
    e2e_latency_ms_p50,
    e2e_latency_ms_p90,
    output_fps_rows,
    output_fps_p10,
    output_fps_p50
FROM agg_quality_benchmark_1d
WHERE $__timeFilter(window_start)
ORDER BY day DESC, output_fps_rows DESC
LIMIT 100
