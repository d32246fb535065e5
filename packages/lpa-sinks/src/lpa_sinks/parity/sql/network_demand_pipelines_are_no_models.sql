-- severity: fail
-- covers: 70
-- meaning: No row of v_api_network_demand has its model label as pipeline.
-- to do: lpa schema check: the view is not the one of this version
SELECT window_start, gateway, region, pipeline, model_id
FROM livepeer_analytics.v_api_network_demand
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND pipeline != ''
    AND lower(pipeline) = lower(model_id)
