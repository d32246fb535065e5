-- severity: warn
-- covers: 52
-- meaning: Every attributed sample belongs to a session that is there.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT DISTINCT org, workflow_session_id
FROM livepeer_analytics.fact_stream_status_samples
WHERE sample_ts >= {start:DateTime('UTC')} AND sample_ts < {end:DateTime('UTC')} AND is_attributed = 1
    AND (org, workflow_session_id) NOT IN (SELECT org, workflow_session_id FROM livepeer_analytics.fact_workflow_sessions)
