SELECT table_name, max_event_ts, lag_minutes
FROM v_health_rollup_freshness
ORDER BY lag_minutes DESC
