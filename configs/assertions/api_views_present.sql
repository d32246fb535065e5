-- severity: fail
-- covers: 59
-- meaning: The API views are there.
-- to do: lpa schema apply
SELECT arrayJoin([
    'v_api_gpu_metrics', 'v_api_network_demand', 'v_api_network_demand_by_gpu', 'v_api_sla_compliance',
    'v_api_jitter_5m', 'v_api_session_identity', 'v_health_rollup_freshness', 'v_api_job_demand', 'v_api_llm_usage',
    'v_api_job_auth', 'v_api_job_payments', 'v_api_byoc_workers', 'v_api_ticket_cost'
]) AS missing
WHERE missing NOT IN (SELECT name FROM system.tables WHERE database = 'livepeer_analytics' AND engine = 'View')
