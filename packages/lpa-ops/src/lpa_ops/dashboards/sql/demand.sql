SELECT window_start AS time, sum(served_sessions) AS served, sum(unserved_sessions) AS unserved
FROM v_api_network_demand
WHERE $__timeFilter(window_start)
GROUP BY time
ORDER BY time
