-- Hours of GPUs are a view of their own, which reads no labels. Values stay.
-- differs: v_api_gpu_metrics: rows of several orgs are told apart; fractions are added up in another order, which changes last digits

CREATE OR REPLACE VIEW livepeer_analytics.v_gpu_hours
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    org LowCardinality(String),
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String,
    region String COMMENT 'empty: not known',
    avg_output_fps Nullable(Float64) COMMENT 'frames per second',
    p95_output_fps Nullable(Float64) COMMENT 'frames per second, t-digest',
    jitter_coeff_fps Nullable(Float64) COMMENT 'standard deviation of output_fps by its average',
    status_samples UInt64,
    prompt_to_first_frame_ms Nullable(Float64) COMMENT 'milliseconds, average',
    startup_time_ms Nullable(Float64) COMMENT 'milliseconds, average',
    startup_time_s Nullable(Float64) COMMENT 'seconds, average',
    e2e_latency_ms Nullable(Float64) COMMENT 'milliseconds, average',
    p95_prompt_to_first_frame_ms Nullable(Float64) COMMENT 'milliseconds, t-digest',
    p95_startup_time_ms Nullable(Float64) COMMENT 'milliseconds, t-digest',
    p95_e2e_latency_ms Nullable(Float64) COMMENT 'milliseconds, t-digest',
    valid_prompt_to_first_frame_count UInt64 COMMENT 'sessions that have it',
    valid_startup_time_count UInt64 COMMENT 'sessions that have it',
    valid_e2e_latency_count UInt64 COMMENT 'sessions that have it',
    known_sessions UInt64 COMMENT 'sessions with a stream request',
    startup_success_sessions UInt64,
    excused_sessions UInt64,
    unexcused_sessions UInt64,
    confirmed_swapped_sessions UInt64,
    inferred_orchestrator_change_sessions UInt64,
    swapped_sessions UInt64,
    sessions_with_errors UInt64,
    sessions_with_last_error UInt64,
    loading_only_sessions UInt64,
    zero_output_fps_sessions UInt64,
    status_error_samples UInt64,
    health_signal_count UInt64,
    health_expected_signal_count UInt64,
    health_completeness_ratio Float64 COMMENT 'signals by expected signals of known sessions, at most 1; 1 without any',
    failure_rate Float64 COMMENT 'unexcused by known sessions; 0 without known ones',
    swap_rate Float64 COMMENT 'swapped by known sessions, both known; 0 without known ones'
)
AS SELECT
    window_start,
    org,
    orchestrator_address,
    pipeline,
    model_id,
    gpu_id,
    region,
    fps[1] AS avg_output_fps,
    fps[2] AS p95_output_fps,
    fps[3] / nullIf(avg_output_fps, 0) AS jitter_coeff_fps,
    status_samples,
    latencies[1] AS prompt_to_first_frame_ms,
    latencies[2] AS startup_time_ms,
    startup_time_ms / 1000 AS startup_time_s,
    latencies[3] AS e2e_latency_ms,
    latencies[4] AS p95_prompt_to_first_frame_ms,
    latencies[5] AS p95_startup_time_ms,
    latencies[6] AS p95_e2e_latency_ms,
    latency_counts[1] AS valid_prompt_to_first_frame_count,
    latency_counts[2] AS valid_startup_time_count,
    latency_counts[3] AS valid_e2e_latency_count,
    counts[1] AS known_sessions,
    counts[2] AS startup_success_sessions,
    counts[3] AS excused_sessions,
    counts[4] AS unexcused_sessions,
    counts[5] AS confirmed_swapped_sessions,
    counts[6] AS inferred_orchestrator_change_sessions,
    counts[7] AS swapped_sessions,
    counts[8] AS sessions_with_errors,
    counts[9] AS sessions_with_last_error,
    counts[10] AS loading_only_sessions,
    counts[11] AS zero_output_fps_sessions,
    counts[12] AS status_error_samples,
    counts[13] AS health_signal_count,
    counts[14] AS health_expected_signal_count,
    ifNull(least(1., counts[15] / nullIf(health_expected_signal_count, 0)), 1.) AS health_completeness_ratio,
    ifNull(unexcused_sessions / nullIf(known_sessions, 0), 0.) AS failure_rate,
    ifNull(counts[16] / nullIf(known_sessions, 0), 0.) AS swap_rate
FROM
(
    SELECT
        window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region,
        maxForEach(block.fps) AS fps,
        sum(block.status_samples) AS status_samples,
        sumForEach(block.counts) AS counts,
        maxForEach(block.latencies) AS latencies,
        sumForEach(block.latency_counts) AS latency_counts
    FROM
    (
        SELECT
            hour.window_start AS window_start,
            org,
            orchestrator_address,
            pipeline,
            ifNull(hour.model_id, '') AS model_id,
            ifNull(hour.gpu_id, '') AS gpu_id,
            ifNull(hour.region, '') AS region,
            toInt64(uniqExact(workflow_session_id)) AS contributions,
            [
                toNullable(avgMerge(output_fps_avg_state)),
                toFloat64(quantileTDigestMerge(0.95)(output_fps_p95_state)),
                stddevPopMerge(output_fps_stddev_state)
            ] AS fps,
            sum(sample_count) AS status_samples,
            CAST([], 'Array(UInt64)') AS counts,
            CAST([], 'Array(Nullable(Float64))') AS latencies,
            CAST([], 'Array(UInt64)') AS latency_counts
        FROM livepeer_analytics.agg_session_performance_1h_versions AS hour FINAL
        WHERE hour.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
            AND orchestrator_address != '' AND ifNull(hour.gpu_id, '') != ''
        GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
        UNION ALL
        SELECT
            window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region,
            toInt64(-1), [], 0, [], [], []
        FROM livepeer_analytics.v_terminal_tails
        WHERE gpu_id != ''
        UNION ALL
        SELECT
            window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region,
            toInt64(1),
            [],
            0,
            [
                known_sessions, startup_success_sessions, excused_sessions, unexcused_sessions,
                confirmed_swapped_sessions, inferred_orchestrator_change_sessions, swapped_sessions,
                sessions_with_errors, sessions_with_last_error, loading_only_sessions, zero_output_fps_sessions,
                status_error_samples, health_signal_count, health_expected_signal_count, known_health_signal_count,
                known_swapped_sessions
            ],
            [],
            []
        FROM livepeer_analytics.v_session_outcomes
        WHERE orchestrator_address != '' AND gpu_id != ''
        UNION ALL
        SELECT
            toStartOfInterval(sample_ts, INTERVAL 3600000 MILLISECOND) AS window_start,
            org,
            orchestrator_address,
            pipeline,
            ifNull(sample.model_id, '') AS model_id,
            ifNull(sample.gpu_id, '') AS gpu_id,
            ifNull(sample.region, '') AS region,
            toInt64(count()),
            [],
            0,
            [],
            [
                avgIf(prompt_to_first_frame_ms, has_prompt_to_first_frame = 1),
                avgIf(startup_time_ms, has_startup_time = 1),
                avgIf(e2e_latency_ms, has_e2e_latency = 1),
                quantileTDigestIf(0.95)(prompt_to_first_frame_ms, has_prompt_to_first_frame = 1),
                quantileTDigestIf(0.95)(startup_time_ms, has_startup_time = 1),
                quantileTDigestIf(0.95)(e2e_latency_ms, has_e2e_latency = 1)
            ],
            [countIf(has_prompt_to_first_frame = 1), countIf(has_startup_time = 1), countIf(has_e2e_latency = 1)]
        FROM livepeer_analytics.fact_workflow_latency_samples_versions AS sample FINAL
        WHERE sample_ts >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
            AND orchestrator_address != '' AND ifNull(sample.gpu_id, '') != ''
        GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
    ) AS block
    GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
    HAVING sum(contributions) > 0
);

CREATE OR REPLACE VIEW livepeer_analytics.v_api_gpu_metrics
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    org LowCardinality(String),
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id Nullable(String),
    gpu_id String,
    region Nullable(String),
    gpu_name Nullable(String),
    gpu_memory_total Nullable(UInt64) COMMENT 'bytes',
    runner_version Nullable(String),
    cuda_version Nullable(String) COMMENT 'compute capability, major.minor',
    avg_output_fps Nullable(Float64) COMMENT 'frames per second',
    p95_output_fps Nullable(Float64) COMMENT 'frames per second, t-digest',
    jitter_coeff_fps Nullable(Float64) COMMENT 'standard deviation of output_fps by its average',
    status_samples UInt64,
    prompt_to_first_frame_ms Nullable(Float64) COMMENT 'milliseconds, average',
    startup_time_ms Nullable(Float64) COMMENT 'milliseconds, average',
    startup_time_s Nullable(Float64) COMMENT 'seconds, average',
    e2e_latency_ms Nullable(Float64) COMMENT 'milliseconds, average',
    p95_prompt_to_first_frame_ms Nullable(Float64) COMMENT 'milliseconds, t-digest',
    p95_startup_time_ms Nullable(Float64) COMMENT 'milliseconds, t-digest',
    p95_e2e_latency_ms Nullable(Float64) COMMENT 'milliseconds, t-digest',
    valid_prompt_to_first_frame_count UInt64 COMMENT 'sessions that have it',
    valid_startup_time_count UInt64 COMMENT 'sessions that have it',
    valid_e2e_latency_count UInt64 COMMENT 'sessions that have it',
    known_sessions UInt64 COMMENT 'sessions with a stream request',
    startup_success_sessions UInt64,
    excused_sessions UInt64,
    unexcused_sessions UInt64,
    confirmed_swapped_sessions UInt64,
    inferred_orchestrator_change_sessions UInt64,
    swapped_sessions UInt64,
    sessions_with_errors UInt64,
    sessions_with_last_error UInt64,
    loading_only_sessions UInt64,
    zero_output_fps_sessions UInt64,
    status_error_samples UInt64,
    health_signal_count UInt64,
    health_expected_signal_count UInt64,
    health_completeness_ratio Float64 COMMENT 'signals by expected signals of known sessions, at most 1; 1 without any',
    failure_rate Float64 COMMENT 'unexcused by known sessions; 0 without known ones',
    swap_rate Float64 COMMENT 'swapped by known sessions, both known; 0 without known ones'
)
AS SELECT
    window_start,
    org,
    orchestrator_address,
    pipeline,
    nullIf(hour.model_id, '') AS model_id,
    hour.gpu_id AS gpu_id,
    nullIf(hour.region, '') AS region,
    label.gpu_name AS gpu_name,
    label.gpu_memory_total AS gpu_memory_total,
    label.runner_version AS runner_version,
    label.cuda_version AS cuda_version,
    avg_output_fps,
    p95_output_fps,
    jitter_coeff_fps,
    status_samples,
    prompt_to_first_frame_ms,
    startup_time_ms,
    startup_time_s,
    e2e_latency_ms,
    p95_prompt_to_first_frame_ms,
    p95_startup_time_ms,
    p95_e2e_latency_ms,
    valid_prompt_to_first_frame_count,
    valid_startup_time_count,
    valid_e2e_latency_count,
    known_sessions,
    startup_success_sessions,
    excused_sessions,
    unexcused_sessions,
    confirmed_swapped_sessions,
    inferred_orchestrator_change_sessions,
    swapped_sessions,
    sessions_with_errors,
    sessions_with_last_error,
    loading_only_sessions,
    zero_output_fps_sessions,
    status_error_samples,
    health_signal_count,
    health_expected_signal_count,
    health_completeness_ratio,
    failure_rate,
    swap_rate
FROM livepeer_analytics.v_gpu_hours AS hour
LEFT JOIN livepeer_analytics.v_gpu_labels AS label USING (org, orchestrator_address, model_id, gpu_id)
SETTINGS join_use_nulls = 0;
