-- severity: fail or warn
-- covers: 32
-- meaning: Every segment belongs to a session (fail), and every session has a segment (warn).
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT 'fail' AS severity, org, workflow_session_id, 'a segment without session' AS problem
FROM livepeer_analytics.fact_workflow_session_segments
WHERE segment_start_ts >= {start:DateTime('UTC')} AND segment_start_ts < {end:DateTime('UTC')}
    AND (org, workflow_session_id) NOT IN (SELECT org, workflow_session_id FROM livepeer_analytics.fact_workflow_sessions)
UNION ALL
SELECT 'warn', org, workflow_session_id, 'a session without segment'
FROM livepeer_analytics.fact_workflow_sessions
WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}
    AND (org, workflow_session_id) NOT IN (SELECT org, workflow_session_id FROM livepeer_analytics.fact_workflow_session_segments)
