SELECT
    window_start AS time,
    sum(e2e_latency_ms * valid_e2e_latency_count) / sum(valid_e2e_latency_count) / 1000 AS average,
    max(p95_e2e_latency_ms) / 1000 AS worst_p95
FROM v_api_gpu_metrics
WHERE $__timeFilter(window_start) AND valid_e2e_latency_count > 0
    AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
GROUP BY time
ORDER BY time
