SELECT sum(jobs) AS jobs
FROM v_api_job_demand
WHERE $__timeFilter(window_start)
