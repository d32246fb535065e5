-- Makes agg_session_performance_1h anew for the given hours and sessions, and marks as deleted what the samples no longer
-- say.
INSERT INTO $database.agg_session_performance_1h_versions
(
    window_start, org, workflow_session_id, stream_id, gateway, orchestrator_address, pipeline, model_id, gpu_id,
    region, sample_count, output_sample_count, running_sample_count, output_fps_avg_state, output_fps_p95_state,
    output_fps_stddev_state, ingestion_timestamp, version, is_deleted
)
WITH
    toUInt64(toUnixTimestamp64Micro(now64(6))) AS this_version,
    sessions AS (SELECT workflow_session_id FROM format(Native, base64Decode('$sessions'))),
    samples AS
    (
        SELECT
            * REPLACE (nullIf(model_id, '') AS model_id, nullIf(gpu_id, '') AS gpu_id, nullIf(region, '') AS region),
            toStartOfInterval(sample_ts, INTERVAL 3600000 MILLISECOND) AS hour
        FROM $database.fact_stream_status_samples
        WHERE toStartOfHour(sample_ts) IN {sorted_by:Array(DateTime('UTC'))}
            AND toUnixTimestamp64Milli(hour) IN {hours:Array(Int64)}
            AND workflow_session_id IN sessions
            AND is_attributed = 1
    )
SELECT
    hour, org, workflow_session_id, min(trimBoth(stream_id)), gateway, orchestrator_address, pipeline, model_id, gpu_id, region,
    toUInt32(count()),
    toUInt32(countIf(output_fps > 0)),
    toUInt32(countIf(state IN ('ONLINE', 'DEGRADED_INFERENCE', 'DEGRADED_INPUT'))),
    avgState(output_fps),
    quantileTDigestState(0.95)(output_fps),
    stddevPopState(toFloat64(output_fps)),
    max(ingestion_timestamp),
    this_version,
    0
FROM samples
GROUP BY hour, org, workflow_session_id, gateway, orchestrator_address, pipeline, model_id, gpu_id, region
UNION ALL
SELECT
    window_start, org, workflow_session_id, stream_id, gateway, orchestrator_address, pipeline, model_id, gpu_id,
    region, sample_count, output_sample_count, running_sample_count, output_fps_avg_state, output_fps_p95_state,
    output_fps_stddev_state, ingestion_timestamp, this_version, 1
FROM $database.agg_session_performance_1h
WHERE window_start IN arrayMap(at -> fromUnixTimestamp64Milli(at, 'UTC'), {hours:Array(Int64)})
    AND workflow_session_id IN sessions
    AND (
        window_start, org, workflow_session_id, gateway, orchestrator_address, pipeline, ifNull(model_id, ''),
        ifNull(gpu_id, ''), ifNull(region, '')
    ) NOT IN (
        SELECT
            hour, org, workflow_session_id, gateway, orchestrator_address, pipeline, ifNull(model_id, ''),
            ifNull(gpu_id, ''), ifNull(region, '')
        FROM samples
    )
