SELECT
    toStartOfInterval(session_start_ts, INTERVAL 3600000 MILLISECOND) AS time,
    countIf(confirmed_swap_count > 0) AS confirmed,
    countIf(inferred_orchestrator_change_count > 0) AS inferred
FROM fact_workflow_sessions
WHERE $__timeFilter(session_start_ts)
GROUP BY time
ORDER BY time
