SELECT orchestrator_address, gpu_id, gpu_name, gpu_memory_total, pipeline, model_id, runner_version, latest_snapshot_ts
FROM dim_orchestrator_capability_current
WHERE gpu_id != ''
    AND $__conditionalAll(model_id IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
ORDER BY latest_snapshot_ts DESC, orchestrator_address, gpu_id
LIMIT 1 BY orchestrator_address, gpu_id, pipeline, model_id
LIMIT 200
