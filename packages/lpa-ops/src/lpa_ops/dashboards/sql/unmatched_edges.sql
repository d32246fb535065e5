SELECT if(unmatched_reason = '', 'nothing', unmatched_reason) AS lacked, count() AS signals
FROM fact_lifecycle_edge_coverage
WHERE $__timeFilter(signal_ts) AND is_terminal_signal
GROUP BY lacked
ORDER BY signals DESC
