-- What consumers read: hourly GPU, demand and SLA figures, jitter, identities, freshness; and the views that these share.
-- For ClickHouse 24.11 and later, and for chDB. Every statement may be run again.
--
-- All views
-- * read one row per key: facts and rollups without their versions. Those that the read API asks read them with FINAL, not through the view of
--   the latest ones: each view within a view is planned again.
-- * leave out sessions and hours before 2000-01-01, which only wrong clocks make.
-- * have hours from 1900 to 2299: toStartOfInterval of milliseconds gives a DateTime64, toStartOfHour a DateTime, which ends in 2106.
-- * divide by nothing: a ratio whose denominator is 0 is null, unless its comment says otherwise.
-- Additive columns may be summed over rows, then ratios have to be computed again; sessions and streams are distinct counts, which
-- do not add up over models, GPUs or hours.
--
-- A session counts in demand and GPU figures in the hour in which it started, with its final identity; in SLA figures in
-- every hour in which it has status samples. Totals of the two are different things.

-- One row per org and session: what it counts as. From fact_workflow_sessions.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_session_outcomes
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour in which the session started',
    org LowCardinality(String),
    workflow_session_id String COMMENT 'stream_id|request_id',
    request_id String,
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String COMMENT 'empty: not known',
    region String COMMENT 'empty: not known',
    session_start_ts DateTime64(3, 'UTC'),
    session_end_ts Nullable(DateTime64(3, 'UTC')),
    known_sessions UInt8 COMMENT '1: the gateway received the stream request',
    startup_success_sessions UInt8 COMMENT '1: the stream became playable',
    excused_sessions UInt8 COMMENT '1: it did not, for a reason outside the network',
    unexcused_sessions UInt8 COMMENT '1: it did not, without such a reason',
    confirmed_swapped_sessions UInt8 COMMENT '1: with an orchestrator_swap trace',
    inferred_orchestrator_change_sessions UInt8 COMMENT '1: on more than one orchestrator',
    swapped_sessions UInt8 COMMENT '1: either of the two',
    sessions_with_errors UInt8 COMMENT '1: with an error event',
    sessions_with_last_error UInt8 COMMENT '1: with a last_error in a status',
    loading_only_sessions UInt8 COMMENT '1: every status was LOADING',
    zero_output_fps_sessions UInt8 COMMENT '1: no status had output',
    effective_failed_sessions UInt8 COMMENT '1: unexcused, zero output or loading only',
    known_swapped_sessions UInt8 COMMENT 'swapped_sessions of known sessions: what ratios count',
    known_without_output_sessions UInt8 COMMENT '1: known, and zero output or loading only',
    known_effective_failed_sessions UInt8 COMMENT 'effective_failed_sessions of known sessions: what ratios count',
    status_error_samples UInt32 COMMENT 'statuses with a last_error',
    health_signal_count UInt32,
    health_expected_signal_count UInt32,
    known_health_signal_count UInt32 COMMENT 'health_signal_count of known sessions: what ratios count'
)
AS SELECT
    toStartOfInterval(session.session_start_ts, INTERVAL 3600000 MILLISECOND) AS window_start,
    session.org,
    session.workflow_session_id,
    session.request_id,
    session.gateway,
    session.orchestrator_address,
    session.pipeline,
    ifNull(session.model_id, '') AS model_id,
    ifNull(session.gpu_id, '') AS gpu_id,
    ifNull(session.region, '') AS region,
    session.session_start_ts,
    session.session_end_ts,
    session.known_stream > 0 AS known_sessions,
    session.startup_success > 0 AS startup_success_sessions,
    session.startup_excused > 0 AS excused_sessions,
    session.startup_unexcused > 0 AS unexcused_sessions,
    session.confirmed_swap_count > 0 AS confirmed_swapped_sessions,
    session.inferred_orchestrator_change_count > 0 AS inferred_orchestrator_change_sessions,
    confirmed_swapped_sessions OR inferred_orchestrator_change_sessions AS swapped_sessions,
    session.error_count > 0 AS sessions_with_errors,
    session.last_error_occurred > 0 AS sessions_with_last_error,
    session.loading_only_session > 0 AS loading_only_sessions,
    session.zero_output_fps_session > 0 AS zero_output_fps_sessions,
    unexcused_sessions OR zero_output_fps_sessions OR loading_only_sessions AS effective_failed_sessions,
    known_sessions AND swapped_sessions AS known_swapped_sessions,
    known_sessions AND (zero_output_fps_sessions OR loading_only_sessions) AS known_without_output_sessions,
    known_sessions AND effective_failed_sessions AS known_effective_failed_sessions,
    session.status_error_sample_count AS status_error_samples,
    session.health_signal_count,
    session.health_expected_signal_count,
    if(known_sessions, session.health_signal_count, 0) AS known_health_signal_count
FROM livepeer_analytics.fact_workflow_sessions_versions AS session FINAL
WHERE session.session_start_ts >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC');

-- One row per org, session, hour, orchestrator, pipeline, model, GPU and region: the attributed samples of a session in an hour.
-- From agg_session_performance_1h.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_session_hours
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour of the samples',
    org LowCardinality(String),
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
    hour.org AS org,
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
FROM livepeer_analytics.agg_session_performance_1h_versions AS hour FINAL
WHERE hour.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND hour.orchestrator_address != ''
GROUP BY window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region;

-- One row per org, session, hour, orchestrator, pipeline, model, GPU and region that is a terminal tail: less than three samples without
-- work in the hour in which the session ended, after an hour of which the same holds. From v_session_hours and
-- fact_workflow_sessions.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_terminal_tails
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour of the samples',
    org LowCardinality(String),
    workflow_session_id String COMMENT 'stream_id|request_id',
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String COMMENT 'empty: not known',
    region String COMMENT 'empty: not known'
)
AS SELECT
    tail.window_start AS window_start,
    org,
    workflow_session_id,
    tail.orchestrator_address AS orchestrator_address,
    tail.pipeline AS pipeline,
    tail.model_id AS model_id,
    tail.gpu_id AS gpu_id,
    tail.region AS region
FROM livepeer_analytics.fact_workflow_sessions_versions AS session FINAL
INNER JOIN
(
    SELECT window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region
    FROM
    (
        SELECT
            own.window_start AS window_start, org, workflow_session_id, orchestrator_address, pipeline,
            ifNull(own.model_id, '') AS model_id, ifNull(own.gpu_id, '') AS gpu_id, ifNull(own.region, '') AS region,
            [toUInt64(sample_count), 0] AS samples, output_sample_count + running_sample_count AS work
        FROM livepeer_analytics.agg_session_performance_1h_versions AS own FINAL
        WHERE own.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND orchestrator_address != ''
        UNION ALL
        SELECT
            before.window_start + INTERVAL 1 HOUR, org, workflow_session_id, orchestrator_address, pipeline,
            ifNull(before.model_id, ''), ifNull(before.gpu_id, ''), ifNull(before.region, ''),
            [0, toUInt64(sample_count)], output_sample_count + running_sample_count
        FROM livepeer_analytics.agg_session_performance_1h_versions AS before FINAL
        WHERE before.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND orchestrator_address != ''
    )
    GROUP BY window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region
    HAVING sum(work) = 0 AND sumForEach(samples)[1] BETWEEN 1 AND 2 AND sumForEach(samples)[2] BETWEEN 1 AND 2
) AS tail USING (org, workflow_session_id)
WHERE session.session_start_ts < tail.window_start
    AND session.session_end_ts >= tail.window_start
    AND session.session_end_ts < tail.window_start + INTERVAL 1 HOUR;

-- One row per org, orchestrator, model and GPU: what was last said of the GPU. From dim_orchestrator_capability_snapshots.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_gpu_labels
(
    org LowCardinality(String),
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    model_id String,
    gpu_id String,
    gpu_name Nullable(String),
    gpu_memory_total Nullable(UInt64) COMMENT 'bytes',
    runner_version Nullable(String),
    cuda_version Nullable(String) COMMENT 'compute capability, major.minor'
)
AS SELECT
    org,
    orchestrator_address,
    model_id,
    gpu_id,
    latest.1 AS gpu_name,
    latest.2 AS gpu_memory_total,
    latest.3 AS runner_version,
    toString(latest.4) || '.' || toString(latest.5) AS cuda_version
FROM
(
    SELECT
        org,
        orchestrator_address,
        model_id,
        id AS gpu_id,
        argMax(
            (gpu_name, gpu_memory_total, runner_version, gpu_major, gpu_minor),
            (pipeline, capability_id, source_event_uid, version)
        ) AS latest
    FROM
    (
        SELECT
            org, orchestrator_address, model_id, ifNull(gpu.gpu_id, '') AS id, snapshot_ts, gpu_name, gpu_memory_total,
            runner_version, gpu_major, gpu_minor, pipeline, capability_id, source_event_uid, version
        FROM livepeer_analytics.dim_orchestrator_capability_snapshots_versions AS gpu
        WHERE is_deleted = 0
    ) AS gpu
    -- Not IN: its set is made before anything else of a statement runs, and beside nothing.
    LEFT SEMI JOIN
    (
        SELECT org, orchestrator_address, model_id, ifNull(seen.gpu_id, '') AS id, max(seen.snapshot_ts) AS snapshot_ts
        FROM livepeer_analytics.dim_orchestrator_capability_snapshots_versions AS seen
        WHERE is_deleted = 0 AND id != ''
        GROUP BY org, orchestrator_address, model_id, id
    ) AS latest_of_each USING (org, orchestrator_address, model_id, id, snapshot_ts)
    GROUP BY org, orchestrator_address, model_id, id
);

-- One row per hour, org and request_id that was paid for in the hour, with the identity of the session of the org that the request
-- became: of several, the one that started last. From payment_events and v_session_outcomes.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_request_fees
(
    window_start DateTime64(3, 'UTC') COMMENT 'hour of the payments',
    org LowCardinality(String),
    request_id String,
    workflow_session_id String COMMENT 'empty: no session has the request_id',
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String,
    gpu_id String,
    region String,
    face_value_wei UInt256 COMMENT 'wei: one face value a payment, as the reference counts',
    expected_fee_wei UInt256 COMMENT 'wei: what the tickets are worth on average'
)
AS SELECT
    window_start,
    org,
    request_id,
    latest.1 AS workflow_session_id,
    latest.2 AS gateway,
    latest.3 AS orchestrator_address,
    latest.4 AS pipeline,
    latest.5 AS model_id,
    latest.6 AS gpu_id,
    latest.7 AS region,
    face_value_wei,
    expected_fee_wei
FROM
(
    SELECT
        window_start,
        org,
        request_id,
        argMax(
            (
                session.workflow_session_id, session.gateway, session.orchestrator_address, session.pipeline,
                session.model_id, session.gpu_id, session.region
            ),
            (session.session_start_ts, session.workflow_session_id)
        ) AS latest,
        any(payment.face_value_wei) AS face_value_wei,
        any(payment.expected_fee_wei) AS expected_fee_wei
    FROM
    (
        SELECT
            org, request_id, workflow_session_id, gateway, orchestrator_address, pipeline, model_id, gpu_id, region,
            session_start_ts
        FROM livepeer_analytics.v_session_outcomes
        WHERE request_id != ''
    ) AS session
    RIGHT JOIN
    (
        SELECT
            toStartOfInterval(event_timestamp, INTERVAL 3600000 MILLISECOND) AS window_start,
            payment_events.org AS org,
            payment_events.request_id AS request_id,
            sum(payment_events.face_value_wei) AS face_value_wei,
            sum(payment_events.expected_fee_wei) AS expected_fee_wei
        FROM livepeer_analytics.payment_events AS payment_events
        WHERE event_timestamp >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
        GROUP BY window_start, org, request_id
    ) AS payment USING (org, request_id)
    GROUP BY window_start, org, request_id
)
SETTINGS join_use_nulls = 0;

-- One row per hour, org, orchestrator, pipeline, model, GPU and region with samples, or with sessions that started in the hour; hours of
-- nothing but terminal tails are left out. From agg_session_performance_1h, v_session_outcomes, fact_workflow_latency_samples and
-- v_terminal_tails.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_gpu_hours
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

-- One row per hour, org, orchestrator, pipeline, model, GPU and region of v_gpu_hours, with what was last said of the GPU. From
-- v_gpu_hours and v_gpu_labels.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_gpu_metrics
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

-- One row per hour, org, gateway, region, pipeline and model with samples or with sessions that started in the hour. What was paid in an
-- hour without a row that takes it is in a row of empty labels of the same org. From agg_session_performance_1h, v_session_outcomes and
-- v_request_fees.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_network_demand
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    org LowCardinality(String),
    gateway String,
    region String COMMENT 'empty: not known',
    pipeline String COMMENT 'empty: not known; that of the other sessions of the hour, gateway and model where they agree',
    model_id String COMMENT 'empty: not known',
    total_sessions UInt64 COMMENT 'distinct sessions with samples',
    total_streams UInt64 COMMENT 'distinct streams with samples',
    status_samples UInt64,
    total_minutes Float64 COMMENT 'status samples by 6: there is one every 10 seconds',
    avg_output_fps Nullable(Float64) COMMENT 'frames per second',
    known_sessions UInt64 COMMENT 'sessions with a stream request',
    served_sessions UInt64 COMMENT 'known, with an orchestrator',
    unserved_sessions UInt64 COMMENT 'known, without an orchestrator',
    total_demand_sessions UInt64 COMMENT 'served and unserved',
    unexcused_sessions UInt64,
    confirmed_swapped_sessions UInt64,
    inferred_orchestrator_change_sessions UInt64,
    swapped_sessions UInt64,
    sessions_with_errors UInt64,
    sessions_with_last_error UInt64,
    loading_only_sessions UInt64,
    zero_output_fps_sessions UInt64,
    effective_failed_sessions UInt64 COMMENT 'unexcused, zero output or loading only',
    status_error_samples UInt64,
    health_signal_count UInt64,
    health_expected_signal_count UInt64,
    health_completeness_ratio Float64 COMMENT 'signals by expected signals of known sessions, at most 1; 1 without any',
    missing_capacity_count UInt64 COMMENT 'the same as unserved_sessions',
    startup_success_ratio Nullable(Float64) COMMENT '1 - unexcused by known sessions',
    success_ratio Nullable(Float64) COMMENT '1 - effectively failed by known sessions, both known',
    fee_payment_eth Float64 COMMENT 'ETH: one face value a payment, as the reference counts',
    expected_fee_eth Float64 COMMENT 'ETH: what the tickets are worth on average'
)
AS SELECT
    window_start,
    org,
    gateway,
    region,
    pipeline,
    model_id,
    total_sessions,
    total_streams,
    status_samples,
    status_samples / 6 AS total_minutes,
    avg_output_fps,
    counts[1] AS known_sessions,
    counts[2] AS served_sessions,
    counts[3] AS unserved_sessions,
    served_sessions + unserved_sessions AS total_demand_sessions,
    counts[4] AS unexcused_sessions,
    counts[5] AS confirmed_swapped_sessions,
    counts[6] AS inferred_orchestrator_change_sessions,
    counts[7] AS swapped_sessions,
    counts[8] AS sessions_with_errors,
    counts[9] AS sessions_with_last_error,
    counts[10] AS loading_only_sessions,
    counts[11] AS zero_output_fps_sessions,
    counts[12] AS effective_failed_sessions,
    counts[13] AS status_error_samples,
    counts[14] AS health_signal_count,
    counts[15] AS health_expected_signal_count,
    ifNull(least(1., counts[16] / nullIf(health_expected_signal_count, 0)), 1.) AS health_completeness_ratio,
    unserved_sessions AS missing_capacity_count,
    1 - unexcused_sessions / nullIf(known_sessions, 0) AS startup_success_ratio,
    1 - counts[17] / nullIf(known_sessions, 0) AS success_ratio,
    fee_payment_eth,
    expected_fee_eth
FROM
(
    SELECT
        window_start,
        org,
        if(has_evidence, labelled.gateway, '') AS gateway,
        if(has_evidence, labelled.region, '') AS region,
        if(has_evidence, labelled.pipeline, '') AS pipeline,
        if(has_evidence, labelled.model_id, '') AS model_id,
        uniqExactMerge(sessions) AS total_sessions,
        uniqExactMerge(streams) AS total_streams,
        sum(labelled.status_samples) AS status_samples,
        sum(output_fps_sum) / nullIf(status_samples, 0) AS avg_output_fps,
        sumForEach(labelled.counts) AS counts,
        toFloat64(sum(wei)) / 1e18 AS fee_payment_eth,
        toFloat64(sum(expected_wei)) / 1e18 AS expected_fee_eth
    FROM
    (
        SELECT
            *,
            if(own_pipeline != '' OR only_pipeline != last_pipeline, own_pipeline, only_pipeline) AS pipeline,
            max(evidence) OVER (PARTITION BY window_start, org, gateway, region, model_id, pipeline) AS has_evidence
        FROM
        (
            SELECT
                *,
                minIf(session_pipeline, session_pipeline != '')
                    OVER (PARTITION BY window_start, org, gateway, region, model_id) AS only_pipeline,
                max(session_pipeline) OVER (PARTITION BY window_start, org, gateway, region, model_id) AS last_pipeline
            FROM
            (
                SELECT
                    window_start, org, gateway, region, model_id, own_pipeline,
                    max(source != 'fees') AS evidence,
                    maxIf(own_pipeline, source = 'sessions') AS session_pipeline,
                    uniqExactStateIf(workflow_session_id, source = 'samples') AS sessions,
                    uniqExactStateIf(stream_id, source = 'samples') AS streams,
                    sum(block.status_samples) AS status_samples,
                    sum(block.output_fps_sum) AS output_fps_sum,
                    sumForEach(block.counts) AS counts,
                    sum(block.wei) AS wei,
                    sum(block.expected_wei) AS expected_wei
                FROM
                (
                    SELECT
                        'samples' AS source,
                        hour.window_start AS window_start,
                        org,
                        gateway,
                        ifNull(hour.region, '') AS region,
                        ifNull(hour.model_id, '') AS model_id,
                        if(lower(pipeline) = lower(model_id), '', pipeline) AS own_pipeline,
                        workflow_session_id,
                        stream_id,
                        toUInt64(sample_count) AS status_samples,
                        finalizeAggregation(output_fps_avg_state) * sample_count AS output_fps_sum,
                        CAST([], 'Array(UInt64)') AS counts,
                        toUInt256(0) AS wei,
                        toUInt256(0) AS expected_wei
                    FROM livepeer_analytics.agg_session_performance_1h_versions AS hour FINAL
                    WHERE hour.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
                    UNION ALL
                    SELECT
                        'sessions', window_start, org, gateway, region, model_id,
                        if(lower(pipeline) = lower(model_id), '', pipeline) AS own_pipeline,
                        '', '', 0, 0,
                        sumForEach([
                            known_sessions, known_sessions AND orchestrator_address != '', known_sessions AND
                            orchestrator_address = '', unexcused_sessions, confirmed_swapped_sessions,
                            inferred_orchestrator_change_sessions, swapped_sessions, sessions_with_errors,
                            sessions_with_last_error, loading_only_sessions, zero_output_fps_sessions,
                            effective_failed_sessions, status_error_samples, health_signal_count,
                            health_expected_signal_count, known_health_signal_count, known_effective_failed_sessions
                        ]),
                        0, 0
                    FROM livepeer_analytics.v_session_outcomes
                    GROUP BY window_start, org, gateway, region, model_id, own_pipeline
                    UNION ALL
                    SELECT
                        'fees', window_start, org, gateway, region, model_id,
                        if(lower(pipeline) = lower(model_id), '', pipeline) AS own_pipeline,
                        '', '', 0, 0, [], sum(face_value_wei), sum(expected_fee_wei)
                    FROM livepeer_analytics.v_request_fees
                    GROUP BY window_start, org, gateway, region, model_id, own_pipeline
                ) AS block
                GROUP BY window_start, org, gateway, region, model_id, own_pipeline
            )
        )
    ) AS labelled
    GROUP BY window_start, org, gateway, region, pipeline, model_id
);

-- One row per hour, org, gateway, orchestrator, region, pipeline, model and GPU with samples. A GPU that is not known is taken to be that of the
-- session that started last in the same hour with the same other labels. From agg_session_performance_1h, v_session_outcomes,
-- v_request_fees, v_gpu_labels and dim_orchestrator_capability_model_constraints.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_network_demand_by_gpu
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    org LowCardinality(String),
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    region String COMMENT 'empty: not known',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String COMMENT 'empty: not known',
    gpu_type String COMMENT 'name of the GPU; unknown: no snapshot names it',
    total_sessions UInt64 COMMENT 'distinct sessions with samples',
    total_streams UInt64 COMMENT 'distinct streams with samples',
    status_samples UInt64,
    used_inference_minutes Float64 COMMENT 'status samples by 6: there is one every 10 seconds',
    inference_minutes_by_gpu_type Float64 COMMENT 'the same as used_inference_minutes',
    available_capacity_minutes Float64 COMMENT 'minutes: what the orchestrator says now of the model, for all its GPUs, times 60',
    capacity_rate Float64 COMMENT 'used by available minutes; 0 if none are known',
    known_sessions UInt64 COMMENT 'sessions with a stream request',
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
    missing_capacity_count UInt64 COMMENT 'the same as unexcused_sessions',
    fee_payment_eth Float64 COMMENT 'ETH: one face value a payment, as the reference counts',
    expected_fee_eth Float64 COMMENT 'ETH: what the tickets are worth on average'
)
AS SELECT
    window_start,
    org,
    gateway,
    orchestrator_address,
    region,
    pipeline,
    model_id,
    gpu_id,
    ifNull(label.gpu_name, 'unknown') AS gpu_type,
    total_sessions,
    total_streams,
    status_samples,
    status_samples / 6 AS used_inference_minutes,
    used_inference_minutes AS inference_minutes_by_gpu_type,
    ifNull(constraint.capacity, 0) * 60. AS available_capacity_minutes,
    ifNull(used_inference_minutes / nullIf(available_capacity_minutes, 0), 0.) AS capacity_rate,
    counts[1] AS known_sessions,
    counts[2] AS unexcused_sessions,
    counts[3] AS confirmed_swapped_sessions,
    counts[4] AS inferred_orchestrator_change_sessions,
    counts[5] AS swapped_sessions,
    counts[6] AS sessions_with_errors,
    counts[7] AS sessions_with_last_error,
    counts[8] AS loading_only_sessions,
    counts[9] AS zero_output_fps_sessions,
    counts[10] AS status_error_samples,
    counts[11] AS health_signal_count,
    counts[12] AS health_expected_signal_count,
    ifNull(least(1., counts[13] / nullIf(health_expected_signal_count, 0)), 1.) AS health_completeness_ratio,
    unexcused_sessions AS missing_capacity_count,
    fee_payment_eth,
    expected_fee_eth
FROM
(
    SELECT
        window_start, org, gateway, orchestrator_address, region, pipeline, model_id,
        if(own_gpu_id != '', own_gpu_id, latest_gpu_id) AS gpu_id,
        uniqExactIf(workflow_session_id, source = 'samples') AS total_sessions,
        uniqExactIf(stream_id, source = 'samples') AS total_streams,
        sum(block.status_samples) AS status_samples,
        sumForEach(block.counts) AS counts,
        toFloat64(sum(block.wei)) / 1e18 AS fee_payment_eth,
        toFloat64(sum(block.expected_wei)) / 1e18 AS expected_fee_eth
    FROM
    (
        SELECT
            'samples' AS source,
            hour.window_start AS window_start,
            org,
            gateway,
            orchestrator_address,
            ifNull(hour.region, '') AS region,
            pipeline,
            ifNull(hour.model_id, '') AS model_id,
            ifNull(hour.gpu_id, '') AS own_gpu_id,
            workflow_session_id,
            stream_id,
            toUInt64(sample_count) AS status_samples,
            CAST([], 'Array(UInt64)') AS counts,
            toUInt256(0) AS wei,
            toUInt256(0) AS expected_wei
        FROM livepeer_analytics.agg_session_performance_1h_versions AS hour FINAL
        WHERE hour.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND orchestrator_address != ''
        UNION ALL
        SELECT
            'sessions', window_start, org, gateway, orchestrator_address, region, pipeline, model_id, gpu_id, '', '', 0,
            [
                known_sessions, unexcused_sessions, confirmed_swapped_sessions, inferred_orchestrator_change_sessions,
                swapped_sessions, sessions_with_errors, sessions_with_last_error, loading_only_sessions,
                zero_output_fps_sessions, status_error_samples, health_signal_count, health_expected_signal_count,
                known_health_signal_count
            ],
            0, 0
        FROM livepeer_analytics.v_session_outcomes
        WHERE orchestrator_address != ''
        UNION ALL
        SELECT
            'fees', window_start, org, gateway, orchestrator_address, region, pipeline, model_id, gpu_id, '', '', 0, [],
            face_value_wei, expected_fee_wei
        FROM livepeer_analytics.v_request_fees
        WHERE orchestrator_address != ''
    ) AS block
    LEFT JOIN
    (
        SELECT
            window_start, org, gateway, orchestrator_address, region, pipeline, model_id,
            argMax(gpu_id, (session_start_ts, workflow_session_id)) AS latest_gpu_id
        FROM livepeer_analytics.v_session_outcomes
        WHERE orchestrator_address != '' AND gpu_id != ''
        GROUP BY window_start, org, gateway, orchestrator_address, region, pipeline, model_id
    ) AS fallback USING (window_start, org, gateway, orchestrator_address, region, pipeline, model_id)
    GROUP BY window_start, org, gateway, orchestrator_address, region, pipeline, model_id, gpu_id
    HAVING status_samples > 0
) AS key
LEFT JOIN livepeer_analytics.v_gpu_labels AS label USING (org, orchestrator_address, model_id, gpu_id)
LEFT JOIN
(
    SELECT
        org,
        orchestrator_address,
        model_id,
        argMax(latest.capacity, (snapshot_ts, source_event_uid, capability_id)) AS capacity
    FROM livepeer_analytics.dim_orchestrator_capability_model_constraints AS latest
    GROUP BY org, orchestrator_address, model_id
) AS constraint USING (org, orchestrator_address, model_id)
SETTINGS join_use_nulls = 0;

-- One row per day, pipeline and model: what sessions of the day are measured by, of the 7 days before it and in all orgs. Percentiles are those
-- of the days, weighted by benchmark rows. From agg_quality_benchmark_1d.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_quality_benchmark
(
    day_start DateTime64(3, 'UTC') COMMENT 'start of the day that is measured',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    prompt_to_first_frame_rows UInt64 COMMENT 'benchmark rows that have it',
    prompt_to_first_frame_ms_p50 Nullable(Float64) COMMENT 'milliseconds',
    prompt_to_first_frame_ms_p90 Nullable(Float64) COMMENT 'milliseconds',
    e2e_latency_rows UInt64 COMMENT 'benchmark rows that have it',
    e2e_latency_ms_p50 Nullable(Float64) COMMENT 'milliseconds',
    e2e_latency_ms_p90 Nullable(Float64) COMMENT 'milliseconds',
    output_fps_rows UInt64 COMMENT 'benchmark rows that have it',
    output_fps_p10 Nullable(Float64) COMMENT 'frames per second',
    output_fps_p50 Nullable(Float64) COMMENT 'frames per second'
)
AS SELECT
    day.window_start + toIntervalDay(days_later) AS day_start,
    pipeline,
    model_id,
    sum(day.prompt_to_first_frame_rows) AS prompt_to_first_frame_rows,
    sum(day.prompt_to_first_frame_ms_p50 * day.prompt_to_first_frame_rows) / nullIf(prompt_to_first_frame_rows, 0)
        AS prompt_to_first_frame_ms_p50,
    sum(day.prompt_to_first_frame_ms_p90 * day.prompt_to_first_frame_rows) / nullIf(prompt_to_first_frame_rows, 0)
        AS prompt_to_first_frame_ms_p90,
    sum(day.e2e_latency_rows) AS e2e_latency_rows,
    sum(day.e2e_latency_ms_p50 * day.e2e_latency_rows) / nullIf(e2e_latency_rows, 0) AS e2e_latency_ms_p50,
    sum(day.e2e_latency_ms_p90 * day.e2e_latency_rows) / nullIf(e2e_latency_rows, 0) AS e2e_latency_ms_p90,
    sum(day.output_fps_rows) AS output_fps_rows,
    sum(day.output_fps_p10 * day.output_fps_rows) / nullIf(output_fps_rows, 0) AS output_fps_p10,
    sum(day.output_fps_p50 * day.output_fps_rows) / nullIf(output_fps_rows, 0) AS output_fps_p50
FROM livepeer_analytics.agg_quality_benchmark_1d_versions AS day FINAL
ARRAY JOIN range(1, 8) AS days_later
GROUP BY day_start, pipeline, model_id;

-- One row per hour, org, orchestrator, pipeline, model, GPU and region with samples: the sessions that have samples in the hour, but for their
-- terminal tails. A session counts whole in every such hour. From v_session_hours, v_terminal_tails and v_session_outcomes.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_sla_hours
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    day_start DateTime64(3, 'UTC') COMMENT 'start of its day',
    org LowCardinality(String),
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String COMMENT 'empty: not known',
    region String COMMENT 'empty: not known',
    counts Array(UInt64) COMMENT 'the counts of v_api_sla_compliance in its order, then what ratios count',
    known_sessions UInt64 COMMENT 'sessions with a stream request',
    health_completeness_ratio Float64 COMMENT 'signals by expected signals of known sessions, at most 1; 1 without any',
    sla_score Nullable(Float64) COMMENT '0 to 100: 0.4 startup success, 0.2 no swap, 0.4 output, times health completeness',
    status_samples UInt64,
    avg_output_fps Nullable(Float64) COMMENT 'frames per second'
)
AS SELECT
    window_start,
    toStartOfInterval(window_start, INTERVAL 86400000 MILLISECOND) AS day_start,
    org,
    orchestrator_address,
    pipeline,
    model_id,
    gpu_id,
    region,
    counts,
    counts[1] AS known_sessions,
    ifNull(least(1., counts[15] / nullIf(counts[14], 0)), 1.) AS health_completeness_ratio,
    (
        0.4 * (1 - counts[4] / nullIf(known_sessions, 0))
        + 0.2 * (1 - counts[16] / nullIf(known_sessions, 0))
        + 0.4 * (1 - counts[17] / nullIf(known_sessions, 0))
    ) * health_completeness_ratio * 100 AS sla_score,
    status_samples,
    avg_output_fps
FROM
(
    SELECT
        window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region,
        sumForEach([
            known_sessions, startup_success_sessions, excused_sessions, unexcused_sessions, confirmed_swapped_sessions,
            inferred_orchestrator_change_sessions, swapped_sessions, sessions_with_errors, sessions_with_last_error,
            loading_only_sessions, zero_output_fps_sessions, status_error_samples, health_signal_count,
            health_expected_signal_count, known_health_signal_count, known_swapped_sessions,
            known_without_output_sessions, known_effective_failed_sessions, known_sessions AND startup_success_sessions
        ]) AS counts,
        sum(evidence.sample_count) AS status_samples,
        sum(evidence.output_fps_sum) / nullIf(status_samples, 0) AS avg_output_fps
    FROM
    (
        SELECT * EXCEPT (
            window_start, request_id, gateway, orchestrator_address, pipeline, model_id, gpu_id, region,
            session_start_ts, session_end_ts
        )
        FROM livepeer_analytics.v_session_outcomes
    ) AS outcome
    RIGHT JOIN
    (
        SELECT
            window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region,
            sum(hour.sample_count) AS sample_count,
            sum(hour.output_fps_sum) AS output_fps_sum
        FROM
        (
            SELECT
                window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region,
                sample_count, output_fps_sum, 0 AS is_tail
            FROM livepeer_analytics.v_session_hours
            UNION ALL
            SELECT
                window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region, 0, 0, 1
            FROM livepeer_analytics.v_terminal_tails
        ) AS hour
        GROUP BY window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region
        HAVING max(is_tail) = 0
    ) AS evidence USING (org, workflow_session_id)
    GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
)
SETTINGS join_use_nulls = 0;

-- One row per hour, org, orchestrator, pipeline, model, GPU and region with samples: the sessions that have samples in the hour, but for their
-- terminal tails. A session counts whole in every such hour. From v_sla_hours, fact_workflow_latency_samples and v_quality_benchmark.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_sla_compliance
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    org LowCardinality(String),
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
AS SELECT
    window_start,
    org,
    orchestrator_address,
    pipeline,
    nullIf(graded.model_id, '') AS model_id,
    nullIf(graded.gpu_id, '') AS gpu_id,
    nullIf(graded.region, '') AS region,
    known_sessions,
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
    health_completeness_ratio,
    1 - unexcused_sessions / nullIf(known_sessions, 0) AS startup_success_ratio,
    1 - counts[18] / nullIf(known_sessions, 0) AS success_ratio,
    1 - counts[16] / nullIf(known_sessions, 0) AS no_swap_ratio,
    sla_score,
    status_samples,
    avg_output_fps,
    valid_prompt_to_first_frame_count,
    prompt_to_first_frame_ms,
    valid_e2e_latency_count,
    e2e_latency_ms,
    if(
        known_sessions = 0,
        NULL,
        greatest(0., least(100., 100 * health_completeness_ratio * (
            0.7 * (
                0.4 * counts[19]
                + 0.2 * (known_sessions - counts[16])
                + 0.4 * (known_sessions - counts[17])
            ) / known_sessions
            + 0.3 * (0.6 * (0.6 * grades[1] + 0.4 * grades[2]) + 0.4 * grades[3])
        )))
    ) AS sla_quality_score
FROM
(
    SELECT
        window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region,
        key.counts AS counts,
        key.known_sessions AS known_sessions,
        key.health_completeness_ratio AS health_completeness_ratio,
        key.sla_score AS sla_score,
        key.status_samples AS status_samples,
        key.avg_output_fps AS avg_output_fps,
        latency.valid_prompt_to_first_frame_count AS valid_prompt_to_first_frame_count,
        latency.prompt_to_first_frame_ms AS prompt_to_first_frame_ms,
        latency.valid_e2e_latency_count AS valid_e2e_latency_count,
        latency.e2e_latency_ms AS e2e_latency_ms,
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
    FROM livepeer_analytics.v_sla_hours AS key
    LEFT JOIN
    (
        SELECT
            toStartOfInterval(sample_ts, INTERVAL 3600000 MILLISECOND) AS window_start,
            org,
            orchestrator_address,
            pipeline,
            ifNull(sample.model_id, '') AS model_id,
            ifNull(sample.gpu_id, '') AS gpu_id,
            ifNull(sample.region, '') AS region,
            countIf(has_prompt_to_first_frame = 1) AS valid_prompt_to_first_frame_count,
            avgIf(sample.prompt_to_first_frame_ms, has_prompt_to_first_frame = 1) AS prompt_to_first_frame_ms,
            countIf(has_e2e_latency = 1) AS valid_e2e_latency_count,
            avgIf(sample.e2e_latency_ms, has_e2e_latency = 1) AS e2e_latency_ms
        FROM livepeer_analytics.fact_workflow_latency_samples_versions AS sample FINAL
        WHERE sample_ts >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND orchestrator_address != ''
        GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
    ) AS latency USING (window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region)
    LEFT JOIN livepeer_analytics.v_quality_benchmark AS benchmark USING (day_start, pipeline, model_id)
) AS graded
SETTINGS join_use_nulls = 0;

-- One row per five minutes, org, orchestrator, pipeline, model, GPU and region with at least 10 samples. From agg_stream_performance_1m.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_jitter_5m
(
    window_start_5m DateTime64(3, 'UTC') COMMENT 'start of the five minutes',
    org LowCardinality(String),
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id Nullable(String),
    gpu_id Nullable(String),
    region Nullable(String),
    avg_output_fps Float64 COMMENT 'frames per second',
    jitter_coeff_fps Nullable(Float64) COMMENT 'standard deviation of output_fps by its average',
    status_samples UInt64
)
AS SELECT
    toStartOfInterval(minute.window_start, INTERVAL 300000 MILLISECOND) AS window_start_5m,
    org,
    orchestrator_address,
    pipeline,
    model_id,
    gpu_id,
    region,
    avgMerge(output_fps_avg_state) AS avg_output_fps,
    stddevPopMerge(fps_jitter_num_state) / nullIf(avgMerge(fps_jitter_den_state), 0) AS jitter_coeff_fps,
    countMerge(sample_count_state) AS status_samples
FROM livepeer_analytics.agg_stream_performance_1m AS minute
WHERE minute.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
GROUP BY window_start_5m, org, orchestrator_address, pipeline, model_id, gpu_id, region
HAVING status_samples >= 10;

-- One row per org and session: whose it is. From fact_workflow_sessions.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_session_identity
(
    org LowCardinality(String),
    workflow_session_id String COMMENT 'stream_id|request_id',
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    stream_id String,
    request_id String,
    session_start_ts DateTime64(3, 'UTC'),
    session_end_ts Nullable(DateTime64(3, 'UTC')) COMMENT 'last activity',
    latest_version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read'
)
AS SELECT
    org,
    workflow_session_id, orchestrator_address, stream_id, request_id, session_start_ts, session_end_ts,
    version AS latest_version
FROM livepeer_analytics.fact_workflow_sessions;

-- One row per watched table: how old its latest event is. Times ahead of the clock do not count.
-- From fact_stream_status_samples and fact_workflow_sessions.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_health_rollup_freshness
(
    table_name String,
    max_event_ts Nullable(DateTime64(3, 'UTC')) COMMENT 'null: the table is empty',
    checked_at DateTime64(3, 'UTC') COMMENT 'now',
    lag_minutes Nullable(Int64) COMMENT 'whole minutes between the two'
)
AS SELECT
    table_name,
    max_event_ts,
    now64(3, 'UTC') AS checked_at,
    intDiv(dateDiff('second', max_event_ts, checked_at), 60) AS lag_minutes
FROM
(
    SELECT 'fact_stream_status_samples' AS table_name, maxOrNull(sample_ts) AS max_event_ts
    FROM livepeer_analytics.fact_stream_status_samples
    WHERE sample_ts <= now64(3)
    UNION ALL
    SELECT 'fact_workflow_sessions', maxOrNull(session_start_ts)
    FROM livepeer_analytics.fact_workflow_sessions
    WHERE session_start_ts <= now64(3)
);
