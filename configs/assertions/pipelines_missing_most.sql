-- severity: info
-- covers: 57
-- meaning: Where rows most often have a model but no pipeline.
-- to do: see which orchestrators announce capabilities without pipeline
SELECT view, orchestrator_address, model, count() AS rows
FROM
(
    SELECT 'v_api_gpu_metrics' AS view, orchestrator_address, ifNull(model_id, '') AS model
    FROM livepeer_analytics.v_api_gpu_metrics
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND pipeline = ''
    UNION ALL
    SELECT 'v_api_sla_compliance', orchestrator_address, ifNull(model_id, '')
    FROM livepeer_analytics.v_api_sla_compliance
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND pipeline = ''
)
WHERE model != ''
GROUP BY view, orchestrator_address, model
ORDER BY rows DESC
LIMIT 20
