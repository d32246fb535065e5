SELECT uniqExact(org, stream_id) AS streams
FROM fact_stream_status_samples
WHERE is_attributed AND sample_ts >= $__toTime - INTERVAL 15 MINUTE AND sample_ts <= $__toTime
    AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
