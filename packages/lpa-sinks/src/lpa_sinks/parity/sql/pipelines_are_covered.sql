-- severity: fail
-- covers: 61
-- meaning: At least 99 % of the GPU and SLA rows with a model have a pipeline.
-- to do: pipelines_missing_most shows where
SELECT countIf(pipeline != '') AS with_pipeline, count() AS rows, with_pipeline / rows AS coverage
FROM
(
    SELECT pipeline
    FROM livepeer_analytics.v_api_gpu_metrics
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND ifNull(model_id, '') != ''
    UNION ALL
    SELECT pipeline
    FROM livepeer_analytics.v_api_sla_compliance
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND ifNull(model_id, '') != ''
)
HAVING rows > 0 AND coverage < 0.99
