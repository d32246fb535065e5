SELECT ifNull(gpu_name, 'unknown') AS type, uniqExact(orchestrator_address, gpu_id) AS gpus
FROM dim_orchestrator_capability_current
WHERE gpu_id != ''
    AND $__conditionalAll(model_id IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
GROUP BY type
ORDER BY gpus DESC
LIMIT 20
