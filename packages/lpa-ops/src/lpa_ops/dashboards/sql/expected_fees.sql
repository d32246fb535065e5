SELECT window_start AS time, gateway, sum(expected_fee_eth) AS eth
FROM v_api_network_demand
WHERE $__timeFilter(window_start)
GROUP BY time, gateway
ORDER BY time
