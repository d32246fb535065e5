SELECT gateway, orchestrator_address, pipeline, model_id, uniqExact(org, stream_id) AS streams, avg(output_fps) AS fps
FROM fact_stream_status_samples
WHERE is_attributed AND sample_ts >= $__toTime - INTERVAL 15 MINUTE AND sample_ts <= $__toTime
    AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
GROUP BY gateway, orchestrator_address, pipeline, model_id
ORDER BY streams DESC
LIMIT 50
