-- severity: fail
-- covers: 64
-- meaning: Rows of the hourly views begin on the hour.
-- to do: lpa schema check: a view is not the one of this version
SELECT view, window_start
FROM
(
    SELECT 'v_api_network_demand' AS view, window_start
    FROM livepeer_analytics.v_api_network_demand
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'v_api_network_demand_by_gpu' AS view, window_start
    FROM livepeer_analytics.v_api_network_demand_by_gpu
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'v_api_gpu_metrics' AS view, window_start
    FROM livepeer_analytics.v_api_gpu_metrics
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'v_api_sla_compliance' AS view, window_start
    FROM livepeer_analytics.v_api_sla_compliance
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
)
WHERE window_start != toStartOfHour(window_start)
