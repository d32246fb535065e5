SELECT toFloat64(sum(charged_wei)) / 1e18 AS eth
FROM v_api_job_demand
WHERE $__timeFilter(window_start)
