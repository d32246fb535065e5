-- severity: fail
-- covers: 21
-- meaning: Every parameter update belongs to a session that is there.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT org, workflow_session_id, update_ts, source_event_uid
FROM livepeer_analytics.fact_workflow_param_updates
WHERE update_ts >= {start:DateTime('UTC')} AND update_ts < {end:DateTime('UTC')}
    AND (org, workflow_session_id) NOT IN (SELECT org, workflow_session_id FROM livepeer_analytics.fact_workflow_sessions)
