SELECT window_start AS time, job_type, sum(duration_ms_sum) / sum(duration_samples) AS duration
FROM v_api_job_demand
WHERE $__timeFilter(window_start) AND duration_samples > 0
GROUP BY time, job_type
ORDER BY time, job_type
