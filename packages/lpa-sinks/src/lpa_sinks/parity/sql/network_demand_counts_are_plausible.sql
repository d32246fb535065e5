-- severity: fail
-- covers: 68
-- meaning: Counts of v_api_network_demand fit each other: no part is larger than its whole, nothing is negative.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT window_start, gateway, region, pipeline, model_id, total_streams, total_sessions, status_samples,
    known_sessions, unexcused_sessions, swapped_sessions, fee_payment_eth
FROM livepeer_analytics.v_api_network_demand
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND (
    total_streams > total_sessions
    OR total_sessions > status_samples
    OR unexcused_sessions > known_sessions
    OR swapped_sessions > confirmed_swapped_sessions + inferred_orchestrator_change_sessions
    OR swapped_sessions < greatest(confirmed_swapped_sessions, inferred_orchestrator_change_sessions)
    OR total_minutes < 0
    OR fee_payment_eth < 0
)
