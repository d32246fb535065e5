SELECT uniqExact(gpu_id) AS gpus
FROM dim_orchestrator_capability_snapshots
WHERE snapshot_ts >= $__toTime - INTERVAL 15 MINUTE AND snapshot_ts <= $__toTime
    AND $__conditionalAll(model_id IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
