-- severity: fail
-- covers: 65
-- meaning: The views have the columns that the API reads.
-- to do: lpa schema apply makes the view of this version once the other is dropped
SELECT view, column AS missing
FROM
(
    SELECT 'v_api_network_demand' AS view, arrayJoin([
        'window_start', 'org', 'gateway', 'region', 'pipeline', 'model_id', 'total_streams', 'total_sessions',
        'total_minutes', 'avg_output_fps', 'known_sessions', 'served_sessions', 'unserved_sessions',
        'total_demand_sessions', 'unexcused_sessions', 'swapped_sessions', 'missing_capacity_count',
        'startup_success_ratio', 'success_ratio', 'fee_payment_eth', 'expected_fee_eth'
    ]) AS column
    UNION ALL
    SELECT 'v_api_network_demand_by_gpu' AS view, arrayJoin([
        'window_start', 'org', 'gateway', 'orchestrator_address', 'region', 'pipeline', 'model_id', 'gpu_id', 'gpu_type',
        'total_streams', 'total_sessions', 'used_inference_minutes', 'available_capacity_minutes', 'capacity_rate',
        'known_sessions', 'missing_capacity_count', 'fee_payment_eth', 'expected_fee_eth'
    ]) AS column
    UNION ALL
    SELECT 'v_api_sla_compliance' AS view, arrayJoin([
        'window_start', 'org', 'orchestrator_address', 'pipeline', 'model_id', 'gpu_id', 'region', 'known_sessions',
        'health_completeness_ratio', 'startup_success_ratio', 'success_ratio', 'no_swap_ratio', 'sla_score',
        'sla_quality_score'
    ]) AS column
)
WHERE (view, column) NOT IN (SELECT table, name FROM system.columns WHERE database = 'livepeer_analytics')
