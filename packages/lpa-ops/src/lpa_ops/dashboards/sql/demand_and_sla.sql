SELECT time, unmet_share, sla_score / 100 AS sla, health_completeness
FROM
(
    SELECT
        window_start AS time,
        sum(unserved_sessions) / nullIf(sum(total_demand_sessions), 0) AS unmet_share
    FROM v_api_network_demand
    WHERE $__timeFilter(window_start)
    GROUP BY time
) AS demand
LEFT JOIN
(
    SELECT
        window_start AS time,
        sum(sla_score * known_sessions) / nullIf(sum(known_sessions), 0) AS sla_score,
        sum(health_signal_count) / nullIf(sum(health_expected_signal_count), 0) AS health_completeness
    FROM v_api_sla_compliance
    WHERE $__timeFilter(window_start)
    GROUP BY time
) AS compliance USING (time)
ORDER BY time
