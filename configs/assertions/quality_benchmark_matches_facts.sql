-- severity: warn
-- covers: 36
-- meaning: agg_quality_benchmark_1d says what the facts of its day say, unless these are newer: benchmark rows, and
--   percentiles within the accuracy of a t-digest.
-- to do: lpa materialize rebuild for the days; if it fails again, it is a defect of the schema
WITH
    settled AS
    (
        SELECT day
        FROM
        (
            SELECT toStartOfInterval(window_start, INTERVAL 1 DAY) AS day, max(version) AS facts, 0 AS benchmark
            FROM livepeer_analytics.agg_session_performance_1h_versions
            WHERE window_start >= {start:DateTime('UTC')} - INTERVAL 1 DAY AND window_start < {end:DateTime('UTC')} + INTERVAL 1 DAY
            GROUP BY day
            UNION ALL
            SELECT toStartOfInterval(sample_ts, INTERVAL 1 DAY) AS day, max(version), 0
            FROM livepeer_analytics.fact_workflow_latency_samples_versions
            WHERE sample_ts >= {start:DateTime('UTC')} - INTERVAL 1 DAY AND sample_ts < {end:DateTime('UTC')} + INTERVAL 1 DAY
            GROUP BY day
            UNION ALL
            SELECT toStartOfInterval(window_start, INTERVAL 1 DAY) AS day, 0, max(version)
            FROM livepeer_analytics.agg_quality_benchmark_1d_versions
            WHERE window_start >= {start:DateTime('UTC')} - INTERVAL 1 DAY AND window_start < {end:DateTime('UTC')}
            GROUP BY day
        )
        GROUP BY day
        HAVING max(benchmark) >= max(facts)
    )
SELECT day, pipeline, model, groupArray((source, benchmark_rows, percentiles)) AS found
FROM
(
    SELECT
        'benchmark' AS source, toStartOfInterval(window_start, INTERVAL 1 DAY) AS day, pipeline, model_id AS model,
        [prompt_to_first_frame_rows, e2e_latency_rows, output_fps_rows] AS benchmark_rows,
        [
            ifNull(prompt_to_first_frame_ms_p50, 0), ifNull(prompt_to_first_frame_ms_p90, 0),
            ifNull(e2e_latency_ms_p50, 0), ifNull(e2e_latency_ms_p90, 0), ifNull(output_fps_p10, 0),
            ifNull(output_fps_p50, 0)
        ] AS percentiles
    FROM livepeer_analytics.agg_quality_benchmark_1d
    WHERE day IN settled
    UNION ALL
    SELECT
        'facts', day, pipeline, model, [count(prompt_ms), count(e2e_ms), count(fps)],
        arrayMap(value -> ifNotFinite(ifNull(value, 0), 0), [
            quantileTDigest(0.5)(prompt_ms), quantileTDigest(0.9)(prompt_ms), quantileTDigest(0.5)(e2e_ms),
            quantileTDigest(0.9)(e2e_ms), quantileTDigest(0.1)(fps), quantileTDigest(0.5)(fps)
        ])
    FROM
    (
        SELECT
            toStartOfInterval(window_start, INTERVAL 1 DAY) AS day, pipeline, ifNull(model_id, '') AS model,
            CAST(NULL, 'Nullable(Float64)') AS prompt_ms, CAST(NULL, 'Nullable(Float64)') AS e2e_ms,
            toNullable(avgMerge(output_fps_avg_state)) AS fps
        FROM livepeer_analytics.agg_session_performance_1h
        WHERE day IN settled AND orchestrator_address != ''
        GROUP BY day, window_start, orchestrator_address, pipeline, model, ifNull(gpu_id, '')
        UNION ALL
        SELECT
            toStartOfInterval(sample_ts, INTERVAL 1 DAY) AS day, pipeline, ifNull(model_id, '') AS model,
            avgIf(prompt_to_first_frame_ms, has_prompt_to_first_frame = 1), avgIf(e2e_latency_ms, has_e2e_latency = 1), NULL
        FROM livepeer_analytics.fact_workflow_latency_samples
        WHERE day IN settled AND orchestrator_address != ''
        GROUP BY day, toStartOfHour(sample_ts), orchestrator_address, pipeline, model, ifNull(gpu_id, '')
    )
    GROUP BY day, pipeline, model
    HAVING count(prompt_ms) + count(e2e_ms) + count(fps) > 0
)
GROUP BY day, pipeline, model
HAVING count() != 2 OR uniqExact(benchmark_rows) != 1 OR arrayExists(
    (a, b) -> abs(a - b) > 0.05 * greatest(abs(a), abs(b)), groupArray(percentiles)[1], groupArray(percentiles)[-1]
)
