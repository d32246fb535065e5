-- severity: fail
-- covers: 69
-- meaning: Known sessions are served or unserved, and the unserved are the missing capacity.
-- to do: lpa schema check: the view is not the one of this version
SELECT window_start, org, gateway, region, pipeline, model_id, known_sessions, served_sessions, unserved_sessions,
    total_demand_sessions, missing_capacity_count
FROM livepeer_analytics.v_api_network_demand
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND (
    total_demand_sessions != served_sessions + unserved_sessions
    OR total_demand_sessions != known_sessions
    OR missing_capacity_count != unserved_sessions
)
