-- severity: fail
-- covers: 43, 73
-- meaning: Success ratios lie in [0, 1], and success is not above startup success.
-- to do: lpa schema check: the view is not the one of this version
SELECT window_start, gateway, region, pipeline, model_id, known_sessions, startup_success_ratio, success_ratio
FROM livepeer_analytics.v_api_network_demand
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND (
    (known_sessions > 0) != (startup_success_ratio IS NOT NULL AND success_ratio IS NOT NULL)
    OR startup_success_ratio NOT BETWEEN 0 AND 1
    OR success_ratio NOT BETWEEN 0 AND 1
    OR success_ratio > startup_success_ratio + 1e-6
)
