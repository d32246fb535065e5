SELECT window_start AS time, pipeline, sum(avg_output_fps * total_minutes) / sum(total_minutes) AS fps
FROM v_api_network_demand
WHERE $__timeFilter(window_start) AND total_minutes > 0
GROUP BY time, pipeline
ORDER BY time
