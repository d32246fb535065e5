SELECT
    orchestrator_address,
    sum(known_sessions) AS sessions,
    sum(avg_output_fps * status_samples) / sum(status_samples) AS fps,
    sum(e2e_latency_ms * valid_e2e_latency_count) / sum(valid_e2e_latency_count) / 1000 AS latency_seconds,
    sum(swapped_sessions) AS swapped,
    sum(unexcused_sessions) AS unexcused
FROM v_api_gpu_metrics
WHERE window_start >= $__toTime - INTERVAL 24 HOUR AND window_start <= $__toTime
    AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
GROUP BY orchestrator_address
ORDER BY sessions DESC
LIMIT 20
