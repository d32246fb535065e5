-- severity: fail or warn
-- covers: 79
-- meaning: Where the window ends now: the latest sample and session are less than 10 minutes old (warn), or an hour
--   (fail).
-- to do: see whether lpa ingest and lpa materialize run, and their lag
SELECT
    if(ifNull(lag_minutes < 60, 0), 'warn', 'fail') AS severity,
    table_name, max_event_ts, lag_minutes
FROM livepeer_analytics.v_health_rollup_freshness
WHERE {end:DateTime('UTC')} >= now('UTC') - INTERVAL 10 MINUTE AND ifNull(lag_minutes >= 10, 1)
