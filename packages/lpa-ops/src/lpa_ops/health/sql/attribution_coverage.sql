SELECT count() AS attributable, countIf(pipeline != '') AS attributed
FROM
(
    SELECT window_start, model_id, pipeline FROM livepeer_analytics.v_api_gpu_metrics
    UNION ALL
    SELECT window_start, model_id, pipeline FROM livepeer_analytics.v_api_sla_compliance
)
WHERE window_start >= toStartOfHour(fromUnixTimestamp64Milli({since:Int64}, 'UTC')) AND ifNull(model_id, '') != ''
