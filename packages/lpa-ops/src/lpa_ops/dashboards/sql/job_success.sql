SELECT sum(success) / nullIf(sum(success + failed + stream_failed + no_orchestrator + lost), 0) AS share
FROM v_api_job_demand
WHERE $__timeFilter(window_start)
