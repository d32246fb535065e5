SELECT toStartOfInterval(update_ts, INTERVAL 3600000 MILLISECOND) AS time, pipeline, count() AS updates
FROM fact_workflow_param_updates
WHERE $__timeFilter(update_ts)
GROUP BY time, pipeline
ORDER BY time
