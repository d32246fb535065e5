SELECT session_start_ts, workflow_session_id, gateway, orchestrator_address, pipeline, error_count, startup_unexcused
FROM fact_workflow_sessions
WHERE $__timeFilter(session_start_ts)
ORDER BY startup_unexcused DESC, error_count DESC, session_start_ts DESC
LIMIT 50
