-- severity: fail
-- covers: 36
-- meaning: agg_session_performance_1h says what the attributed samples say: keys, samples, average.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT hour, org, workflow_session_id, gateway, orchestrator_address, pipeline, model, gpu, region_name,
    groupArray((source, samples, output, fps)) AS found
FROM
(
    SELECT
        'rollup' AS source, toStartOfHour(window_start) AS hour, org, workflow_session_id, gateway, orchestrator_address,
        pipeline, ifNull(model_id, '') AS model, ifNull(gpu_id, '') AS gpu, ifNull(region, '') AS region_name,
        sum(sample_count) AS samples, sum(output_sample_count) AS output, sum(running_sample_count) AS running,
        avgMerge(output_fps_avg_state) AS fps, 0. AS magnitude
    FROM livepeer_analytics.agg_session_performance_1h
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY hour, org, workflow_session_id, gateway, orchestrator_address, pipeline, model, gpu, region_name
    UNION ALL
    SELECT
        'samples', toStartOfHour(sample_ts) AS hour, org, workflow_session_id, gateway, orchestrator_address, pipeline,
        ifNull(model_id, '') AS model, ifNull(gpu_id, '') AS gpu, ifNull(region, '') AS region_name,
        count(), countIf(output_fps > 0), countIf(state IN ('ONLINE', 'DEGRADED_INFERENCE', 'DEGRADED_INPUT')),
        avg(output_fps), avg(abs(output_fps))
    FROM livepeer_analytics.fact_stream_status_samples
    WHERE toStartOfHour(sample_ts) >= {start:DateTime('UTC')} AND toStartOfHour(sample_ts) < {end:DateTime('UTC')}
        AND is_attributed = 1
    GROUP BY hour, org, workflow_session_id, gateway, orchestrator_address, pipeline, model, gpu, region_name
)
GROUP BY hour, org, workflow_session_id, gateway, orchestrator_address, pipeline, model, gpu, region_name
HAVING count() != 2 OR uniqExact((samples, output, running)) != 1 OR max(fps) - min(fps) > 1e-6 * greatest(1, max(magnitude))
