-- Sessions are also scored by how they compare with the benchmark of the 7 days before, which has a table and a view of its own.

CREATE OR REPLACE VIEW livepeer_analytics.v_session_hours
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour of the samples',
    workflow_session_id String COMMENT 'stream_id|request_id',
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String COMMENT 'empty: not known',
    region String COMMENT 'empty: not known',
    sample_count UInt64 COMMENT 'status samples',
    output_sample_count UInt64 COMMENT 'status samples with output',
    running_sample_count UInt64 COMMENT 'status samples in state ONLINE, DEGRADED_INFERENCE or DEGRADED_INPUT',
    output_fps_sum Float64 COMMENT 'frames per second, over the status samples'
)
AS SELECT
    hour.window_start AS window_start,
    hour.workflow_session_id,
    hour.orchestrator_address,
    hour.pipeline,
    ifNull(hour.model_id, '') AS model_id,
    ifNull(hour.gpu_id, '') AS gpu_id,
    ifNull(hour.region, '') AS region,
    sum(hour.sample_count) AS sample_count,
    sum(hour.output_sample_count) AS output_sample_count,
    sum(hour.running_sample_count) AS running_sample_count,
    sum(finalizeAggregation(hour.output_fps_avg_state) * hour.sample_count) AS output_fps_sum
FROM livepeer_analytics.agg_session_performance_1h AS hour
WHERE hour.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND hour.orchestrator_address != ''
GROUP BY window_start, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region;

CREATE OR REPLACE VIEW livepeer_analytics.v_api_sla_compliance
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id Nullable(String),
    gpu_id Nullable(String),
    region Nullable(String),
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
    startup_success_ratio Nullable(Float64) COMMENT '1 - unexcused by known sessions',
    success_ratio Nullable(Float64) COMMENT '1 - effectively failed by known sessions, both known',
    no_swap_ratio Nullable(Float64) COMMENT '1 - swapped by known sessions, both known',
    sla_score Nullable(Float64) COMMENT '0 to 100: 0.4 startup success, 0.2 no swap, 0.4 output, times health completeness',
    status_samples UInt64,
    avg_output_fps Nullable(Float64) COMMENT 'frames per second',
    valid_prompt_to_first_frame_count UInt64 COMMENT 'sessions that started in the hour and have it',
    prompt_to_first_frame_ms Nullable(Float64) COMMENT 'milliseconds, average',
    valid_e2e_latency_count UInt64 COMMENT 'sessions that started in the hour and have it',
    e2e_latency_ms Nullable(Float64) COMMENT 'milliseconds, average',
    sla_quality_score Nullable(Float64) COMMENT '0 to 100: 0.7 reliability, 0.3 quality against the benchmark, times health completeness'
)
AS WITH
    arrayMap(
        (value, samples, enough, best, worst, rows) -> 0.5 + least(samples / enough, 1.) * (multiIf(
            rows < 48 OR isNull(value), 0.5,
            value <= best, 1.,
            value >= worst OR best >= worst, 0.,
            (worst - value) / (worst - best)
        ) - 0.5),
        [latency.prompt_to_first_frame_ms, latency.e2e_latency_ms, -key.avg_output_fps],
        [latency.valid_prompt_to_first_frame_count, latency.valid_e2e_latency_count, key.status_samples],
        [10, 10, 30],
        [prompt_to_first_frame_ms_p50, e2e_latency_ms_p50, -output_fps_p50],
        [prompt_to_first_frame_ms_p90, e2e_latency_ms_p90, -output_fps_p10],
        [prompt_to_first_frame_rows, e2e_latency_rows, output_fps_rows]
    ) AS grades
SELECT
    window_start,
    orchestrator_address,
    pipeline,
    nullIf(key.model_id, '') AS model_id,
    nullIf(key.gpu_id, '') AS gpu_id,
    nullIf(key.region, '') AS region,
    key.known_sessions AS known_sessions,
    startup_success_sessions,
    excused_sessions,
    key.unexcused_sessions AS unexcused_sessions,
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
    ifNull(least(1., known_health_signal_count / nullIf(health_expected_signal_count, 0)), 1.)
        AS health_completeness_ratio,
    1 - key.unexcused_sessions / nullIf(key.known_sessions, 0) AS startup_success_ratio,
    1 - known_effective_failed_sessions / nullIf(key.known_sessions, 0) AS success_ratio,
    1 - known_swapped_sessions / nullIf(key.known_sessions, 0) AS no_swap_ratio,
    (
        0.4 * startup_success_ratio
        + 0.2 * no_swap_ratio
        + 0.4 * (1 - known_without_output_sessions / nullIf(key.known_sessions, 0))
    ) * health_completeness_ratio * 100 AS sla_score,
    key.status_samples AS status_samples,
    key.avg_output_fps AS avg_output_fps,
    latency.valid_prompt_to_first_frame_count AS valid_prompt_to_first_frame_count,
    latency.prompt_to_first_frame_ms AS prompt_to_first_frame_ms,
    latency.valid_e2e_latency_count AS valid_e2e_latency_count,
    latency.e2e_latency_ms AS e2e_latency_ms,
    if(
        key.known_sessions = 0,
        NULL,
        greatest(0., least(100., 100 * health_completeness_ratio * (
            0.7 * (
                0.4 * key.known_startup_success_sessions
                + 0.2 * (key.known_sessions - key.known_swapped_sessions)
                + 0.4 * (key.known_sessions - key.known_without_output_sessions)
            ) / key.known_sessions
            + 0.3 * (0.6 * (0.6 * grades[1] + 0.4 * grades[2]) + 0.4 * grades[3])
        )))
    ) AS sla_quality_score
FROM
(
    SELECT
        window_start, orchestrator_address, pipeline, model_id, gpu_id, region,
        sum(outcome.known_sessions) AS known_sessions,
        sum(outcome.startup_success_sessions) AS startup_success_sessions,
        sum(outcome.excused_sessions) AS excused_sessions,
        sum(outcome.unexcused_sessions) AS unexcused_sessions,
        sum(outcome.confirmed_swapped_sessions) AS confirmed_swapped_sessions,
        sum(outcome.inferred_orchestrator_change_sessions) AS inferred_orchestrator_change_sessions,
        sum(outcome.swapped_sessions) AS swapped_sessions,
        sum(outcome.sessions_with_errors) AS sessions_with_errors,
        sum(outcome.sessions_with_last_error) AS sessions_with_last_error,
        sum(outcome.loading_only_sessions) AS loading_only_sessions,
        sum(outcome.zero_output_fps_sessions) AS zero_output_fps_sessions,
        sum(outcome.known_swapped_sessions) AS known_swapped_sessions,
        sum(outcome.known_without_output_sessions) AS known_without_output_sessions,
        sum(outcome.known_effective_failed_sessions) AS known_effective_failed_sessions,
        sum(outcome.status_error_samples) AS status_error_samples,
        sum(outcome.health_signal_count) AS health_signal_count,
        sum(outcome.health_expected_signal_count) AS health_expected_signal_count,
        sum(outcome.known_health_signal_count) AS known_health_signal_count,
        sum(outcome.known_sessions AND outcome.startup_success_sessions) AS known_startup_success_sessions,
        sum(evidence.sample_count) AS status_samples,
        sum(evidence.output_fps_sum) / nullIf(status_samples, 0) AS avg_output_fps,
        toStartOfInterval(window_start, INTERVAL 86400000 MILLISECOND) AS day_start
    FROM
    (
        SELECT
            window_start, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region,
            sample_count, output_fps_sum
        FROM livepeer_analytics.v_session_hours
        WHERE (window_start, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region) NOT IN (
            SELECT window_start, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region
            FROM livepeer_analytics.v_terminal_tails
        )
    ) AS evidence
    LEFT JOIN
    (
        SELECT * EXCEPT (
            window_start, request_id, gateway, orchestrator_address, pipeline, model_id, gpu_id, region,
            session_start_ts, session_end_ts
        )
        FROM livepeer_analytics.v_session_outcomes
    ) AS outcome USING (workflow_session_id)
    GROUP BY window_start, orchestrator_address, pipeline, model_id, gpu_id, region
) AS key
LEFT JOIN
(
    SELECT
        toStartOfInterval(sample_ts, INTERVAL 3600000 MILLISECOND) AS window_start,
        orchestrator_address,
        pipeline,
        ifNull(sample.model_id, '') AS model_id,
        ifNull(sample.gpu_id, '') AS gpu_id,
        ifNull(sample.region, '') AS region,
        countIf(has_prompt_to_first_frame = 1) AS valid_prompt_to_first_frame_count,
        avgIf(sample.prompt_to_first_frame_ms, has_prompt_to_first_frame = 1) AS prompt_to_first_frame_ms,
        countIf(has_e2e_latency = 1) AS valid_e2e_latency_count,
        avgIf(sample.e2e_latency_ms, has_e2e_latency = 1) AS e2e_latency_ms
    FROM livepeer_analytics.fact_workflow_latency_samples AS sample
    WHERE sample_ts >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND orchestrator_address != ''
    GROUP BY window_start, orchestrator_address, pipeline, model_id, gpu_id, region
) AS latency USING (window_start, orchestrator_address, pipeline, model_id, gpu_id, region)
LEFT JOIN livepeer_analytics.v_quality_benchmark AS benchmark USING (day_start, pipeline, model_id)
SETTINGS join_use_nulls = 0;
