SELECT
    gateway, pipeline, model_id,
    sum(unserved_sessions) AS unserved,
    sum(total_demand_sessions) AS demand
FROM v_api_network_demand
WHERE $__timeFilter(window_start)
GROUP BY gateway, pipeline, model_id
ORDER BY unserved DESC, demand DESC
LIMIT 20
