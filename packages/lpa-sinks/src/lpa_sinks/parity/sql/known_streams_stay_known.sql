-- severity: fail
-- covers: 35
-- meaning: No later version of a session forgets its stream request. Merges take older versions away: only what
--   they left can be compared.
-- to do: see what took the request's row away, then lpa materialize rebuild for the window; if it fails again, it
--   is a defect of the fold or of the schema
SELECT org, workflow_session_id, argMax(known_stream, version) AS latest, max(known_stream) AS ever
FROM livepeer_analytics.fact_workflow_sessions_versions
WHERE is_deleted = 0
GROUP BY org, workflow_session_id
HAVING latest = 0 AND ever = 1 AND max(session_start_ts) >= {start:DateTime('UTC')}
    AND max(session_start_ts) < {end:DateTime('UTC')}
