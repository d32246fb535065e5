SELECT toStartOfInterval(sample_ts, INTERVAL 300000 MILLISECOND) AS time, orchestrator_address, avg(output_fps) AS fps
FROM fact_stream_status_samples
WHERE is_attributed AND $__timeFilter(sample_ts) AND orchestrator_address IN
(
    SELECT orchestrator_address
    FROM fact_stream_status_samples
    WHERE is_attributed AND $__timeFilter(sample_ts)
        AND $__conditionalAll(ifNull(model_id, '') IN (${model:singlequote}), $model)
        AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
    GROUP BY orchestrator_address
    ORDER BY count() DESC
    LIMIT 8
)
GROUP BY time, orchestrator_address
ORDER BY time
