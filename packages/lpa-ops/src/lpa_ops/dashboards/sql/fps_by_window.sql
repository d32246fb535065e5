SELECT days, avgIf(output_fps, sample_ts >= $__toTime - toIntervalDay(days)) AS fps
FROM fact_stream_status_samples
ARRAY JOIN [1, 7, 30] AS days
WHERE is_attributed AND sample_ts >= $__toTime - INTERVAL 30 DAY AND sample_ts <= $__toTime
    AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
GROUP BY days
ORDER BY days
