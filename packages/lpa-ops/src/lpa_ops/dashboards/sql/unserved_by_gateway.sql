SELECT window_start AS time, gateway, sum(unserved_sessions) AS unserved
FROM v_api_network_demand
WHERE $__timeFilter(window_start)
GROUP BY time, gateway
ORDER BY time
