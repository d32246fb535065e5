SELECT sumIf(jobs, orchestrator_address != '') / nullIf(sum(selected), 0) AS share
FROM v_api_job_demand
WHERE $__timeFilter(window_start)
