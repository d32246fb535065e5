-- severity: fail
-- covers: 66
-- meaning: Minutes of v_api_network_demand_by_gpu are not negative, and the capacity rate lies in [0, 1.5].
-- to do: compare the capacity that the orchestrator announces with what it serves
SELECT window_start, gateway, orchestrator_address, model_id, gpu_id, used_inference_minutes,
    available_capacity_minutes, capacity_rate
FROM livepeer_analytics.v_api_network_demand_by_gpu
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    AND (used_inference_minutes < 0 OR available_capacity_minutes < 0 OR capacity_rate NOT BETWEEN 0 AND 1.5)
