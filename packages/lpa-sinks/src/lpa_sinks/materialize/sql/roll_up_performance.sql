-- Rebuilds agg_stream_performance_1m for the given minutes, which are of the given hours. A row without a sample is
-- marked as deleted. One scan reads the samples and the rows that exist.
INSERT INTO $database.agg_stream_performance_1m_versions
(
    window_start, org, gateway, orchestrator_address, pipeline, model_id, gpu_id, region, sessions_uniq_state,
    streams_uniq_state, output_fps_avg_state, output_fps_p95_state, fps_jitter_num_state, fps_jitter_den_state,
    sample_count_state, ingestion_timestamp, version, is_deleted
)
SELECT
    minute, org, gateway, orchestrator_address, pipeline, model, gpu, place,
    uniqExactStateIf(workflow_session_id, is_sample),
    uniqExactStateIf(stream_id, is_sample),
    avgStateIf(output_fps, is_sample),
    quantileTDigestStateIf(0.95)(output_fps, is_sample),
    stddevPopStateIf(toFloat64(output_fps), is_sample),
    avgStateIf(output_fps, is_sample),
    countStateIf(is_sample),
    if(max(is_sample) = 1, maxIf(ingested, is_sample), max(ingested)),
    toUInt64(toUnixTimestamp64Micro(now64(6))),
    toUInt8(max(is_sample) = 0)
FROM
(
    SELECT
        toStartOfInterval(sample_ts, INTERVAL 60000 MILLISECOND) AS minute,
        org,
        gateway,
        orchestrator_address,
        pipeline,
        nullIf(model_id, '') AS model,
        nullIf(gpu_id, '') AS gpu,
        nullIf(region, '') AS place,
        workflow_session_id,
        stream_id,
        output_fps,
        ingestion_timestamp AS ingested,
        1 AS is_sample
    FROM $database.fact_stream_status_samples
    WHERE toStartOfHour(sample_ts) IN {sorted_by:Array(DateTime('UTC'))}
        AND toUnixTimestamp64Milli(minute) IN {minutes:Array(Int64)}
        AND is_attributed = 1
    UNION ALL
    SELECT
        window_start, org, gateway, orchestrator_address, pipeline, nullIf(model_id, ''), nullIf(gpu_id, ''),
        nullIf(region, ''), '', '', 0, ingestion_timestamp, 0
    FROM $database.agg_stream_performance_1m
    WHERE window_start IN arrayMap(at -> fromUnixTimestamp64Milli(at, 'UTC'), {minutes:Array(Int64)})
)
GROUP BY minute, org, gateway, orchestrator_address, pipeline, model, gpu, place
