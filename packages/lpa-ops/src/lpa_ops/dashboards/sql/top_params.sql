SELECT pipeline, update_type, message, count() AS updates, uniqExact(org, workflow_session_id) AS sessions
FROM fact_workflow_param_updates
WHERE $__timeFilter(update_ts)
GROUP BY pipeline, update_type, message
ORDER BY updates DESC
LIMIT 50
