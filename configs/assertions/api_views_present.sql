-- severity: fail
-- covers: 59
-- meaning: The API views are there.
-- to do: lpa schema apply
SELECT arrayJoin([
    'v_api_gpu_metrics', 'v_api_network_demand', 'v_api_network_demand_by_gpu', 'v_api_sla_compliance',
    'v_api_jitter_5m', 'v_api_session_identity', 'v_health_rollup_freshness'
]) AS missing
WHERE missing NOT IN (SELECT name FROM system.tables WHERE database = 'livepeer_analytics' AND engine = 'View')
