-- severity: fail
-- covers: 16
-- meaning: Rows of one session with the same highest version say the same: no two workers wrote different facts at
--   once.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT org, workflow_session_id, version, count() AS rows, uniqExact(tuple(COLUMNS('.*') EXCEPT (org_key, workflow_session_id,
    version, ingestion_timestamp))) AS contents
FROM livepeer_analytics.fact_workflow_sessions_versions AS stored
WHERE (org, workflow_session_id, version) IN (
    SELECT org, workflow_session_id, max(version)
    FROM livepeer_analytics.fact_workflow_sessions_versions
    GROUP BY org, workflow_session_id
    HAVING max(session_start_ts) >= {start:DateTime('UTC')} AND max(session_start_ts) < {end:DateTime('UTC')}
)
GROUP BY org, workflow_session_id, version
HAVING contents > 1
