-- Makes agg_stream_performance_1m anew for the given minutes, which are of the given hours, and marks as deleted what
-- the samples no longer say.
INSERT INTO $database.agg_stream_performance_1m_versions
(
    window_start, org, gateway, orchestrator_address, pipeline, model_id, gpu_id, region, sessions_uniq_state,
    streams_uniq_state, output_fps_avg_state, output_fps_p95_state, fps_jitter_num_state, fps_jitter_den_state,
    sample_count_state, ingestion_timestamp, version, is_deleted
)
WITH
    toUInt64(toUnixTimestamp64Micro(now64(6))) AS this_version,
    samples AS
    (
        SELECT
            * REPLACE (nullIf(model_id, '') AS model_id, nullIf(gpu_id, '') AS gpu_id, nullIf(region, '') AS region),
            toStartOfInterval(sample_ts, INTERVAL 60000 MILLISECOND) AS minute
        FROM $database.fact_stream_status_samples
        WHERE toStartOfHour(sample_ts) IN {sorted_by:Array(DateTime('UTC'))}
            AND toUnixTimestamp64Milli(minute) IN {minutes:Array(Int64)}
            AND is_attributed = 1
    )
SELECT
    minute, org, gateway, orchestrator_address, pipeline, model_id, gpu_id, region,
    uniqExactState(workflow_session_id),
    uniqExactState(stream_id),
    avgState(output_fps),
    quantileTDigestState(0.95)(output_fps),
    stddevPopState(toFloat64(output_fps)),
    avgState(output_fps),
    countState(),
    max(ingestion_timestamp),
    this_version,
    0
FROM samples
GROUP BY minute, org, gateway, orchestrator_address, pipeline, model_id, gpu_id, region
UNION ALL
SELECT
    window_start, org, gateway, orchestrator_address, pipeline, model_id, gpu_id, region, sessions_uniq_state,
    streams_uniq_state, output_fps_avg_state, output_fps_p95_state, fps_jitter_num_state, fps_jitter_den_state,
    sample_count_state, ingestion_timestamp, this_version, 1
FROM $database.agg_stream_performance_1m
WHERE window_start IN arrayMap(at -> fromUnixTimestamp64Milli(at, 'UTC'), {minutes:Array(Int64)})
    AND (
        window_start, org, gateway, orchestrator_address, pipeline, ifNull(model_id, ''), ifNull(gpu_id, ''),
        ifNull(region, '')
    ) NOT IN (
        SELECT
            minute, org, gateway, orchestrator_address, pipeline, ifNull(model_id, ''), ifNull(gpu_id, ''),
            ifNull(region, '')
        FROM samples
    )
