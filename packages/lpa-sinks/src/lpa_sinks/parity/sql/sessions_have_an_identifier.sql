-- severity: fail
-- covers: 17
-- meaning: No session without an id.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT stream_id, request_id, session_start_ts
FROM livepeer_analytics.fact_workflow_sessions
WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}
    AND trimBoth(workflow_session_id) = ''
