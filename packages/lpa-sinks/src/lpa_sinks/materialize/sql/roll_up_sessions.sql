-- Rebuilds agg_session_performance_1h for the given hours and sessions. A row without a sample is marked as deleted.
-- One scan reads the samples and the rows that exist.
INSERT INTO $database.agg_session_performance_1h_versions
(
    window_start, org, workflow_session_id, stream_id, gateway, orchestrator_address, pipeline, model_id, gpu_id,
    region, sample_count, output_sample_count, running_sample_count, output_fps_avg_state, output_fps_p95_state,
    output_fps_stddev_state, ingestion_timestamp, version, is_deleted
)
WITH sessions AS (SELECT org, workflow_session_id FROM format(Native, base64Decode('$sessions')))
SELECT
    hour, org, workflow_session_id, if(max(is_sample) = 1, minIf(stream, is_sample), min(stream)), gateway,
    orchestrator_address, pipeline, model, gpu, place,
    toUInt32(countIf(is_sample)),
    toUInt32(countIf(is_sample AND output_fps > 0)),
    toUInt32(countIf(is_sample AND state IN ('ONLINE', 'DEGRADED_INFERENCE', 'DEGRADED_INPUT'))),
    avgStateIf(output_fps, is_sample),
    quantileTDigestStateIf(0.95)(output_fps, is_sample),
    stddevPopStateIf(toFloat64(output_fps), is_sample),
    if(max(is_sample) = 1, maxIf(ingested, is_sample), max(ingested)),
    toUInt64(toUnixTimestamp64Micro(now64(6))),
    toUInt8(max(is_sample) = 0)
FROM
(
    SELECT
        toStartOfInterval(sample_ts, INTERVAL 3600000 MILLISECOND) AS hour,
        org,
        workflow_session_id,
        trimBoth(stream_id) AS stream,
        gateway,
        orchestrator_address,
        pipeline,
        nullIf(model_id, '') AS model,
        nullIf(gpu_id, '') AS gpu,
        nullIf(region, '') AS place,
        output_fps,
        state,
        ingestion_timestamp AS ingested,
        1 AS is_sample
    FROM $database.fact_stream_status_samples
    WHERE toStartOfHour(sample_ts) IN {sorted_by:Array(DateTime('UTC'))}
        AND toUnixTimestamp64Milli(hour) IN {hours:Array(Int64)}
        AND (org, workflow_session_id) IN sessions
        AND is_attributed = 1
    UNION ALL
    SELECT
        window_start, org, workflow_session_id, stream_id, gateway, orchestrator_address, pipeline, nullIf(model_id, ''),
        nullIf(gpu_id, ''), nullIf(region, ''), 0, '', ingestion_timestamp, 0
    FROM $database.agg_session_performance_1h
    WHERE window_start IN arrayMap(at -> fromUnixTimestamp64Milli(at, 'UTC'), {hours:Array(Int64)})
        AND (org, workflow_session_id) IN sessions
)
GROUP BY hour, org, workflow_session_id, gateway, orchestrator_address, pipeline, model, gpu, place
