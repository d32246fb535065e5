SELECT
    org, client_id, app, pipeline,
    sum(signings) AS signings,
    sum(num_tickets) AS tickets,
    toFloat64(sum(fee_wei)) / 1e18 AS eth,
    sum(billable_secs) / 3600 AS billable_hours
FROM v_api_ticket_cost
WHERE $__timeFilter(window_start)
GROUP BY org, client_id, app, pipeline
ORDER BY eth DESC
LIMIT 50
