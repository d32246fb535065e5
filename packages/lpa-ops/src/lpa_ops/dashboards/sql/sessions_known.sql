SELECT sum(known_stream) AS sessions
FROM fact_workflow_sessions
WHERE $__timeFilter(session_start_ts)
