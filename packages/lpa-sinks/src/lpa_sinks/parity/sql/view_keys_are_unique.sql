-- severity: fail
-- covers: 42
-- meaning: No API view has two rows of one key.
-- to do: a join in the view multiplies rows: lpa schema check, then tell the developers
SELECT view, key, count() AS rows
FROM
(
    SELECT 'v_api_network_demand' AS view, toString((window_start, org, gateway, region, pipeline, model_id)) AS key
    FROM livepeer_analytics.v_api_network_demand
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'v_api_network_demand_by_gpu' AS view, toString((window_start, org, gateway, orchestrator_address, region,
        pipeline, model_id, gpu_id)) AS key
    FROM livepeer_analytics.v_api_network_demand_by_gpu
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'v_api_gpu_metrics' AS view, toString((window_start, org, orchestrator_address, pipeline, model_id, gpu_id,
        region)) AS key
    FROM livepeer_analytics.v_api_gpu_metrics
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'v_api_sla_compliance' AS view, toString((window_start, org, orchestrator_address, pipeline, model_id, gpu_id,
        region)) AS key
    FROM livepeer_analytics.v_api_sla_compliance
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'v_api_jitter_5m' AS view, toString((window_start_5m, org, orchestrator_address, pipeline, model_id, gpu_id,
        region)) AS key
    FROM livepeer_analytics.v_api_jitter_5m
    WHERE window_start_5m >= {start:DateTime('UTC')} AND window_start_5m < {end:DateTime('UTC')}
)
GROUP BY view, key
HAVING rows > 1
