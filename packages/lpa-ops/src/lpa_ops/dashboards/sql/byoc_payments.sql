SELECT
    org, capability, subtype,
    sum(events) AS events,
    sum(with_tickets) AS with_tickets,
    toFloat64(sum(charged_wei)) / 1e18 AS charged_eth
FROM v_api_job_payments
WHERE $__timeFilter(window_start)
GROUP BY org, capability, subtype
ORDER BY events DESC
