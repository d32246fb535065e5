-- severity: fail
-- covers: 36
-- meaning: agg_stream_performance_1m says what the attributed samples say: keys, sessions, streams, samples,
--   average.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT minute, org, gateway, orchestrator_address, pipeline, model, gpu, region_name, groupArray((source, sessions,
    streams, samples, fps)) AS found
FROM
(
    SELECT
        'rollup' AS source, toStartOfMinute(window_start) AS minute, org, gateway, orchestrator_address, pipeline,
        ifNull(model_id, '') AS model, ifNull(gpu_id, '') AS gpu, ifNull(region, '') AS region_name,
        uniqExactMerge(sessions_uniq_state) AS sessions, uniqExactMerge(streams_uniq_state) AS streams,
        countMerge(sample_count_state) AS samples, avgMerge(output_fps_avg_state) AS fps, 0. AS magnitude
    FROM livepeer_analytics.agg_stream_performance_1m
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY minute, org, gateway, orchestrator_address, pipeline, model, gpu, region_name
    UNION ALL
    SELECT
        'samples', toStartOfMinute(sample_ts) AS minute, org, gateway, orchestrator_address, pipeline,
        ifNull(model_id, '') AS model, ifNull(gpu_id, '') AS gpu, ifNull(region, '') AS region_name,
        uniqExact(workflow_session_id), uniqExact(stream_id), count(), avg(output_fps), avg(abs(output_fps))
    FROM livepeer_analytics.fact_stream_status_samples
    WHERE toStartOfMinute(sample_ts) >= {start:DateTime('UTC')} AND toStartOfMinute(sample_ts) < {end:DateTime('UTC')}
        AND is_attributed = 1
    GROUP BY minute, org, gateway, orchestrator_address, pipeline, model, gpu, region_name
)
GROUP BY minute, org, gateway, orchestrator_address, pipeline, model, gpu, region_name
HAVING count() != 2 OR uniqExact((sessions, streams, samples)) != 1 OR max(fps) - min(fps) > 1e-6 * greatest(1, max(magnitude))
