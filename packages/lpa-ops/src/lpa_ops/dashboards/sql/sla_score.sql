SELECT sum(sla_score * known_sessions) / sum(known_sessions) AS score
FROM v_api_sla_compliance
WHERE $__timeFilter(window_start) AND known_sessions > 0
