SELECT window_start_5m AS time, orchestrator_address, max(jitter_coeff_fps) AS jitter
FROM v_api_jitter_5m
WHERE $__timeFilter(window_start_5m) AND orchestrator_address IN
(
    SELECT orchestrator_address
    FROM v_api_jitter_5m
    WHERE $__timeFilter(window_start_5m)
        AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
        AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
    GROUP BY orchestrator_address
    ORDER BY sum(status_samples) DESC
    LIMIT 8
)
GROUP BY time, orchestrator_address
ORDER BY time
