SELECT
    window_start AS time,
    sum(sla_score * known_sessions) / sum(known_sessions) AS sla,
    sum(sla_quality_score * known_sessions) / sum(known_sessions) AS quality
FROM v_api_sla_compliance
WHERE $__timeFilter(window_start) AND known_sessions > 0
GROUP BY time
ORDER BY time
