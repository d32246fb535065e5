-- severity: fail
-- covers: 53, 72
-- meaning: Ratios lie in [0, 1], success is not above startup success, both scores lie in [0, 100].
-- to do: lpa schema check: the view is not the one of this version
SELECT window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region, startup_success_ratio, success_ratio,
    no_swap_ratio, health_completeness_ratio, sla_score, sla_quality_score
FROM livepeer_analytics.v_api_sla_compliance
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND (
    startup_success_ratio NOT BETWEEN 0 AND 1
    OR success_ratio NOT BETWEEN 0 AND 1
    OR no_swap_ratio NOT BETWEEN 0 AND 1
    OR health_completeness_ratio NOT BETWEEN 0 AND 1
    OR success_ratio > startup_success_ratio + 1e-6
    OR sla_score NOT BETWEEN 0 AND 100
    OR sla_quality_score NOT BETWEEN 0 AND 100
)
