-- severity: fail
-- covers: 38
-- meaning: The hour in which a session started is in v_api_network_demand, with its gateway, region and model.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT workflow_session_id, window_start, org, gateway, region, model_id
FROM livepeer_analytics.v_session_outcomes
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    AND (window_start, org, gateway, region, model_id) NOT IN (
    SELECT window_start, org, gateway, region, model_id
    FROM livepeer_analytics.v_api_network_demand
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
)
