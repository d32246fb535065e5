SELECT
    orchestrator_address,
    sum(sla_score * known_sessions) / nullIf(sum(known_sessions), 0) AS score,
    sum(sla_quality_score * known_sessions) / nullIf(sum(known_sessions), 0) AS quality_score,
    sum(known_sessions) AS session_hours,
    sum(unexcused_sessions) AS unexcused,
    sum(swapped_sessions) AS swapped,
    sum(zero_output_fps_sessions) AS without_output
FROM v_api_sla_compliance
WHERE $__timeFilter(window_start)
GROUP BY orchestrator_address
ORDER BY score ASC
LIMIT 50
