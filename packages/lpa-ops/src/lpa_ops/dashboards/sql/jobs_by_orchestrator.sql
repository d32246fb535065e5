SELECT
    org, orchestrator_address, job_type,
    sum(jobs) AS jobs,
    sum(success) AS success,
    sum(failed + stream_failed) AS failed,
    sum(lost) AS lost,
    sum(duration_ms_sum) / nullIf(sum(duration_samples), 0) AS duration_ms,
    toFloat64(sum(charged_wei)) / 1e18 AS charged_eth
FROM v_api_job_demand
WHERE $__timeFilter(window_start)
GROUP BY org, orchestrator_address, job_type
ORDER BY jobs DESC
LIMIT 50
