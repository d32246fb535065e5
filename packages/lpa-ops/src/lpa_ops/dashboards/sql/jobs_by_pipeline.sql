SELECT window_start AS time, job_type || ': ' || pipeline AS kind, sum(jobs) AS jobs
FROM v_api_job_demand
WHERE $__timeFilter(window_start)
GROUP BY time, kind
ORDER BY time, kind
