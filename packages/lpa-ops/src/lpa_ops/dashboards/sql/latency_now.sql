SELECT sum(e2e_latency_ms * valid_e2e_latency_count) / sum(valid_e2e_latency_count) / 1000 AS seconds
FROM v_api_gpu_metrics
WHERE window_start >= toStartOfHour($__toTime - INTERVAL 1 HOUR) AND window_start <= $__toTime
    AND valid_e2e_latency_count > 0
    AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
