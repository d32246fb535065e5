-- severity: warn
-- covers: 50
-- meaning: v_api_network_demand has no more rows with samples than v_api_gpu_metrics or v_api_sla_compliance: its
--   labels are fewer.
-- to do: compare the labels of the views: gateways may outnumber GPUs
SELECT demand, gpu, sla
FROM
(
    SELECT
        (SELECT count() FROM livepeer_analytics.v_api_network_demand WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND status_samples > 0) AS demand,
        (SELECT count() FROM livepeer_analytics.v_api_gpu_metrics WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}) AS gpu,
        (SELECT count() FROM livepeer_analytics.v_api_sla_compliance WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}) AS sla
)
WHERE demand > greatest(gpu, sla)
