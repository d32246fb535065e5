-- severity: fail
-- covers: 15
-- meaning: Sessions started in the window.
-- to do: see whether lpa materialize runs; choose a window with traffic
SELECT 'fact_workflow_sessions' AS missing
WHERE (SELECT count() FROM livepeer_analytics.fact_workflow_sessions WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}) = 0
