SELECT window_start AS time, sum(success) AS let_in, sum(failure) AS turned_away
FROM v_api_job_auth
WHERE $__timeFilter(window_start)
GROUP BY time
ORDER BY time
