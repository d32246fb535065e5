-- severity: fail
-- covers: 19
-- meaning: The orchestrator of a session is a wallet that announced capabilities, never a proxy. Says nothing if
--   no capabilities are stored.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT org, workflow_session_id, orchestrator_address
FROM livepeer_analytics.fact_workflow_sessions
WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}
    AND orchestrator_address != ''
    AND (org, orchestrator_address) NOT IN (SELECT org, orchestrator_address FROM livepeer_analytics.dim_orchestrator_capability_snapshots)
    AND (SELECT count() FROM livepeer_analytics.dim_orchestrator_capability_snapshots_versions) > 0
