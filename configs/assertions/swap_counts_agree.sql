-- severity: fail
-- covers: 18
-- meaning: swap_count equals confirmed_swap_count.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT org, workflow_session_id, swap_count, confirmed_swap_count
FROM livepeer_analytics.fact_workflow_sessions
WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}
    AND swap_count != confirmed_swap_count
