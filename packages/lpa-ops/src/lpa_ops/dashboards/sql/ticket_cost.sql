SELECT window_start AS time, client_id, toFloat64(sum(fee_wei)) / 1e18 AS eth
FROM v_api_ticket_cost
WHERE $__timeFilter(window_start)
GROUP BY time, client_id
ORDER BY time, client_id
