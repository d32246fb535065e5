SELECT countIf(pipeline != '') / count() AS share
FROM v_api_sla_compliance
WHERE $__timeFilter(window_start) AND ifNull(model_id, '') != ''
