SELECT
    window_start AS time,
    sum(success) AS success,
    sum(failed) AS failed,
    sum(stream_failed) AS stream_failed,
    sum(no_orchestrator) AS no_orchestrator,
    sum(lost) AS lost
FROM v_api_job_demand
WHERE $__timeFilter(window_start)
GROUP BY time
ORDER BY time
