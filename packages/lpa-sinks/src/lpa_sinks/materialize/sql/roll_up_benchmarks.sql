-- Rebuilds agg_quality_benchmark_1d for the given days, from all orgs. A row without a benchmark row is marked as deleted; one without a
-- pipeline and a model is always written, so that its day is known to have been looked at.
INSERT INTO $database.agg_quality_benchmark_1d_versions
(
    window_start, pipeline, model_id, prompt_to_first_frame_rows, prompt_to_first_frame_ms_p50,
    prompt_to_first_frame_ms_p90, e2e_latency_rows, e2e_latency_ms_p50, e2e_latency_ms_p90, output_fps_rows,
    output_fps_p10, output_fps_p50, ingestion_timestamp, version, is_deleted
)
WITH
    arrayMap(at -> fromUnixTimestamp64Milli(at, 'UTC'), {days:Array(Int64)}) AS days,
    [days[1], days[-1] + INTERVAL 1 DAY] AS span
SELECT
    day, pipeline, model,
    count(prompt_ms) AS prompt_rows,
    if(prompt_rows = 0, NULL, quantileTDigest(0.5)(prompt_ms)),
    if(prompt_rows = 0, NULL, quantileTDigest(0.9)(prompt_ms)),
    count(e2e_ms) AS e2e_rows,
    if(e2e_rows = 0, NULL, quantileTDigest(0.5)(e2e_ms)),
    if(e2e_rows = 0, NULL, quantileTDigest(0.9)(e2e_ms)),
    count(fps) AS fps_rows,
    if(fps_rows = 0, NULL, quantileTDigest(0.1)(fps)),
    if(fps_rows = 0, NULL, quantileTDigest(0.5)(fps)),
    max(ingested),
    toUInt64(toUnixTimestamp64Micro(now64(6))),
    toUInt8(prompt_rows + e2e_rows + fps_rows = 0)
FROM
(
    SELECT
        toStartOfInterval(window_start, INTERVAL 86400000 MILLISECOND) AS day,
        pipeline,
        ifNull(hour.model_id, '') AS model,
        CAST(NULL, 'Nullable(Float64)') AS prompt_ms,
        CAST(NULL, 'Nullable(Float64)') AS e2e_ms,
        toNullable(avgMerge(output_fps_avg_state)) AS fps,
        max(ingestion_timestamp) AS ingested
    FROM $database.agg_session_performance_1h AS hour
    WHERE window_start >= span[1] AND window_start < span[2] AND has(days, day) AND orchestrator_address != ''
    GROUP BY window_start, orchestrator_address, pipeline, model, ifNull(hour.gpu_id, '')
    UNION ALL
    SELECT
        toStartOfInterval(sample_ts, INTERVAL 86400000 MILLISECOND) AS day,
        pipeline,
        ifNull(sample.model_id, '') AS model,
        avgIf(prompt_to_first_frame_ms, has_prompt_to_first_frame = 1),
        avgIf(e2e_latency_ms, has_e2e_latency = 1),
        NULL,
        max(ingestion_timestamp)
    FROM $database.fact_workflow_latency_samples AS sample
    WHERE sample_ts >= span[1] AND sample_ts < span[2] AND has(days, day) AND orchestrator_address != ''
    GROUP BY day, toStartOfInterval(sample_ts, INTERVAL 3600000 MILLISECOND), orchestrator_address, pipeline, model,
        ifNull(sample.gpu_id, '')
    UNION ALL
    SELECT window_start, pipeline, model_id, NULL, NULL, NULL, ingestion_timestamp
    FROM $database.agg_quality_benchmark_1d
    WHERE has(days, window_start)
    UNION ALL
    SELECT arrayJoin(days), '', '', NULL, NULL, NULL, now64(3, 'UTC')
)
GROUP BY day, pipeline, model
