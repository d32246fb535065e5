-- severity: fail
-- covers: 11
-- meaning: No two prices of one event share everything by which the dimension tells rows apart: one of the two
--   would be lost.
-- to do: tell the developers which event: the key of dim_orchestrator_capability_prices has to grow
SELECT org, raw_event_uid, orchestrator_address, orch_uri, capability_id, constraint_name, groupUniqArray((price_per_unit,
    pixels_per_unit)) AS prices
FROM livepeer_analytics.network_capabilities_prices
WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
GROUP BY org, raw_event_uid, orchestrator_address, orch_uri, capability_id, constraint_name, event_timestamp
HAVING length(prices) > 1
