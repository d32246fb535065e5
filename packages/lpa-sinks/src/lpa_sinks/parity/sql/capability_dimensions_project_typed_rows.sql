-- severity: fail
-- covers: 9, 10
-- meaning: Every capability row has its row in the dimension, GPU by GPU, and no dimension row is without one.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT dimension, org, raw_event_uid, orchestrator_address, orch_uri, capability_id, of, max(typed) AS is_typed,
    max(projected) AS is_projected
FROM
(
    SELECT 'dim_orchestrator_capability_snapshots' AS dimension, org, raw_event_uid, orchestrator_address, orch_uri,
        capability_id, (pipeline, model_id, ifNull(gpu_id, '')) AS of, 1 AS typed, 0 AS projected
    FROM livepeer_analytics.network_capabilities
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'dim_orchestrator_capability_snapshots', org, source_event_uid, orchestrator_address, orchestrator_url,
        capability_id, (pipeline, model_id, ifNull(gpu_id, '')), 0, 1
    FROM livepeer_analytics.dim_orchestrator_capability_snapshots
    WHERE snapshot_ts >= {start:DateTime('UTC')} AND snapshot_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'dim_orchestrator_capability_advertised_snapshots' AS dimension, org, raw_event_uid, orchestrator_address,
        orch_uri, capability_id, ('', '', '') AS of, 1 AS typed, 0 AS projected
    FROM livepeer_analytics.network_capabilities_advertised
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'dim_orchestrator_capability_advertised_snapshots', org, source_event_uid, orchestrator_address,
        orchestrator_url, capability_id, ('', '', ''), 0, 1
    FROM livepeer_analytics.dim_orchestrator_capability_advertised_snapshots
    WHERE snapshot_ts >= {start:DateTime('UTC')} AND snapshot_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'dim_orchestrator_capability_model_constraints' AS dimension, org, raw_event_uid, orchestrator_address,
        orch_uri, capability_id, ('', model_id, '') AS of, 1 AS typed, 0 AS projected
    FROM livepeer_analytics.network_capabilities_model_constraints
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'dim_orchestrator_capability_model_constraints', org, source_event_uid, orchestrator_address, orchestrator_url,
        capability_id, ('', model_id, ''), 0, 1
    FROM livepeer_analytics.dim_orchestrator_capability_model_constraints
    WHERE snapshot_ts >= {start:DateTime('UTC')} AND snapshot_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'dim_orchestrator_capability_prices' AS dimension, org, raw_event_uid, orchestrator_address, orch_uri,
        capability_id, ('', ifNull(constraint_name, ''), '') AS of, 1 AS typed, 0 AS projected
    FROM livepeer_analytics.network_capabilities_prices
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'dim_orchestrator_capability_prices', org, source_event_uid, orchestrator_address, orchestrator_url,
        capability_id, ('', ifNull(constraint_name, ''), ''), 0, 1
    FROM livepeer_analytics.dim_orchestrator_capability_prices
    WHERE snapshot_ts >= {start:DateTime('UTC')} AND snapshot_ts < {end:DateTime('UTC')}
)
GROUP BY dimension, org, raw_event_uid, orchestrator_address, orch_uri, capability_id, of
HAVING is_typed != is_projected
