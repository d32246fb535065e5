SELECT
    toStartOfInterval(sample_ts, INTERVAL 3600000 MILLISECOND) AS time,
    avgIf(startup_time_ms, has_startup_time) AS startup,
    avgIf(prompt_to_first_frame_ms, has_prompt_to_first_frame) AS prompt_to_first_frame,
    avgIf(e2e_latency_ms, has_e2e_latency) AS end_to_end
FROM fact_workflow_latency_samples
WHERE $__timeFilter(sample_ts)
GROUP BY time
ORDER BY time
