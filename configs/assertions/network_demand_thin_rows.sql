-- severity: info
-- covers: 74
-- meaning: Rows of v_api_network_demand without any sample: sessions that never ran, or fees alone.
-- to do: nothing; ratios of such rows say little
SELECT window_start, gateway, region, pipeline, model_id, known_sessions
FROM livepeer_analytics.v_api_network_demand
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND status_samples < 1
