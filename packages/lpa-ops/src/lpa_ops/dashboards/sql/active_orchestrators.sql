SELECT uniqExact(orchestrator_address) AS orchestrators
FROM fact_stream_status_samples
WHERE is_attributed AND sample_ts >= $__toTime - INTERVAL 24 HOUR AND sample_ts <= $__toTime
    AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
