SELECT
    gateway,
    sum(total_demand_sessions) AS demand,
    sum(served_sessions) AS served,
    sum(unserved_sessions) AS unserved,
    sum(total_minutes) AS minutes,
    sum(fee_payment_eth) AS eth,
    sum(expected_fee_eth) AS expected_eth
FROM v_api_network_demand
WHERE $__timeFilter(window_start)
GROUP BY gateway
ORDER BY demand DESC
