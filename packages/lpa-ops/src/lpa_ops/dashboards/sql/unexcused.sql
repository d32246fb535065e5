SELECT sum(startup_unexcused) AS sessions
FROM fact_workflow_sessions
WHERE $__timeFilter(session_start_ts) AND known_stream
