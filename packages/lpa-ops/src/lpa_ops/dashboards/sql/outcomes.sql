SELECT
    toStartOfInterval(session_start_ts, INTERVAL 3600000 MILLISECOND) AS time,
    countIf(startup_success) AS started,
    countIf(startup_excused) AS excused,
    countIf(startup_unexcused) AS unexcused
FROM fact_workflow_sessions
WHERE $__timeFilter(session_start_ts) AND known_stream
GROUP BY time
ORDER BY time
