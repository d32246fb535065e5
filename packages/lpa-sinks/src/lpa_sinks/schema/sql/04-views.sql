-- What consumers read: hourly GPU, demand and SLA figures, jitter, identities, freshness; and the views that these share.
-- For ClickHouse 24.11 and later, and for chDB. Every statement may be run again.
--
-- All views
-- * read one row per key: facts and rollups without their versions.
-- * leave out sessions and hours up to 2000-01-01, which only wrong clocks make.
-- * divide by nothing: a ratio whose denominator is 0 is null, unless its comment says otherwise.
-- Additive columns may be summed over rows, then ratios have to be made anew; sessions and streams are distinct counts, which
-- do not add up over models, GPUs or hours.
--
-- A session counts in demand and GPU figures in the hour in which it started, with its final identity; in SLA figures in
-- every hour in which it has status samples. Totals of the two are different things.

-- One row per session: what it counts as. From fact_workflow_sessions.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_session_outcomes
(
    window_start DateTime('UTC') COMMENT 'hour in which the session started',
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
    toStartOfHour(session.session_start_ts) AS window_start,
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
FROM livepeer_analytics.fact_workflow_sessions AS session
WHERE session.session_start_ts > toDateTime64('2000-01-01 00:00:00', 3, 'UTC');

-- One row per session, hour, orchestrator, pipeline, model, GPU and region: the attributed samples of a session in an hour.
-- From agg_session_performance_1h.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_session_hours
(
    window_start DateTime('UTC') COMMENT 'hour of the samples',
    workflow_session_id String COMMENT 'stream_id|request_id',
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String COMMENT 'empty: not known',
    region String COMMENT 'empty: not known',
    sample_count UInt64 COMMENT 'status samples',
    output_sample_count UInt64 COMMENT 'status samples with output',
    running_sample_count UInt64 COMMENT 'status samples in state ONLINE, DEGRADED_INFERENCE or DEGRADED_INPUT'
)
AS SELECT
    toStartOfHour(hour.window_start) AS window_start,
    hour.workflow_session_id,
    hour.orchestrator_address,
    hour.pipeline,
    ifNull(hour.model_id, '') AS model_id,
    ifNull(hour.gpu_id, '') AS gpu_id,
    ifNull(hour.region, '') AS region,
    sum(hour.sample_count) AS sample_count,
    sum(hour.output_sample_count) AS output_sample_count,
    sum(hour.running_sample_count) AS running_sample_count
FROM livepeer_analytics.agg_session_performance_1h AS hour
WHERE hour.window_start > toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND hour.orchestrator_address != ''
GROUP BY window_start, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region;

-- One row per session, hour, orchestrator, pipeline, model, GPU and region that is a terminal tail: less than three samples without
-- work in the hour in which the session ended, after an hour of which the same holds. From v_session_hours and
-- fact_workflow_sessions.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_terminal_tails
(
    window_start DateTime('UTC') COMMENT 'hour of the samples',
    workflow_session_id String COMMENT 'stream_id|request_id',
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String COMMENT 'empty: not known',
    region String COMMENT 'empty: not known'
)
AS
WITH idle_hours AS
(
    SELECT window_start, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region
    FROM livepeer_analytics.v_session_hours
    WHERE output_sample_count = 0 AND running_sample_count = 0 AND sample_count < 3
)
SELECT
    tail.window_start AS window_start,
    tail.workflow_session_id AS workflow_session_id,
    tail.orchestrator_address AS orchestrator_address,
    tail.pipeline AS pipeline,
    tail.model_id AS model_id,
    tail.gpu_id AS gpu_id,
    tail.region AS region
FROM idle_hours AS tail
INNER JOIN
(
    SELECT
        window_start + INTERVAL 1 HOUR AS next_window, workflow_session_id, orchestrator_address, pipeline, model_id,
        gpu_id, region
    FROM idle_hours
) AS previous
    ON previous.next_window = tail.window_start
    AND previous.workflow_session_id = tail.workflow_session_id
    AND previous.orchestrator_address = tail.orchestrator_address
    AND previous.pipeline = tail.pipeline
    AND previous.model_id = tail.model_id
    AND previous.gpu_id = tail.gpu_id
    AND previous.region = tail.region
INNER JOIN
(
    SELECT workflow_session_id, session_start_ts, session_end_ts
    FROM livepeer_analytics.fact_workflow_sessions
    WHERE workflow_session_id IN (SELECT workflow_session_id FROM idle_hours)
) AS session
    ON session.workflow_session_id = tail.workflow_session_id
WHERE session.session_start_ts < tail.window_start
    AND session.session_end_ts >= tail.window_start
    AND session.session_end_ts < tail.window_start + INTERVAL 1 HOUR;

-- One row per orchestrator, model and GPU: what was last said of the GPU. From dim_orchestrator_capability_current.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_gpu_labels
(
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    model_id String,
    gpu_id String,
    gpu_name Nullable(String),
    gpu_memory_total Nullable(UInt64) COMMENT 'bytes',
    runner_version Nullable(String),
    cuda_version Nullable(String) COMMENT 'compute capability, major.minor'
)
AS SELECT
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
        orchestrator_address,
        model_id,
        ifNull(gpu.gpu_id, '') AS gpu_id,
        argMax(
            (gpu_name, gpu_memory_total, runner_version, gpu_major, gpu_minor),
            (latest_snapshot_ts, pipeline, capability_id)
        ) AS latest
    FROM livepeer_analytics.dim_orchestrator_capability_current AS gpu
    WHERE ifNull(gpu.gpu_id, '') != ''
    GROUP BY orchestrator_address, model_id, gpu_id
);

-- One row per hour and session that was paid for in it, and one per hour for what no session was found for. From payment_events and
-- v_session_outcomes.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_session_fees
(
    window_start DateTime('UTC') COMMENT 'hour of the payments',
    workflow_session_id String COMMENT 'empty: no session has the request_id',
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String,
    gpu_id String,
    region String,
    session_start_ts DateTime64(3, 'UTC'),
    face_value_wei UInt256 COMMENT 'wei'
)
AS SELECT
    payment.window_start AS window_start,
    session.latest.1 AS workflow_session_id,
    session.latest.2 AS gateway,
    session.latest.3 AS orchestrator_address,
    session.latest.4 AS pipeline,
    session.latest.5 AS model_id,
    session.latest.6 AS gpu_id,
    session.latest.7 AS region,
    session.latest.8 AS session_start_ts,
    sum(payment.face_value_wei) AS face_value_wei
FROM
(
    SELECT toStartOfHour(event_timestamp) AS window_start, request_id, sum(paid.face_value_wei) AS face_value_wei
    FROM livepeer_analytics.payment_events AS paid
    WHERE event_timestamp > toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
    GROUP BY window_start, request_id
) AS payment
LEFT JOIN
(
    SELECT
        request_id,
        argMax(
            (
                workflow_session_id, gateway, orchestrator_address, pipeline, model_id, gpu_id, region,
                session_start_ts
            ),
            (session_start_ts, workflow_session_id)
        ) AS latest
    FROM livepeer_analytics.v_session_outcomes
    WHERE request_id != ''
    GROUP BY request_id
) AS session
    ON session.request_id = payment.request_id
GROUP BY window_start, session.latest
SETTINGS join_use_nulls = 0;

-- One row per hour, orchestrator, pipeline, model, GPU and region with samples, or with sessions that started in the hour; hours of
-- nothing but terminal tails are left out. From agg_session_performance_1h, v_session_outcomes, fact_workflow_latency_samples,
-- v_terminal_tails and v_gpu_labels.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_gpu_metrics
(
    window_start DateTime('UTC') COMMENT 'start of the hour',
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
AS
WITH
    performance AS
    (
        SELECT
            toStartOfHour(hour.window_start) AS window_start,
            orchestrator_address,
            pipeline,
            ifNull(hour.model_id, '') AS model_id,
            ifNull(hour.gpu_id, '') AS gpu_id,
            ifNull(hour.region, '') AS region,
            avgMerge(output_fps_avg_state) AS avg_output_fps,
            quantileTDigestMerge(0.95)(output_fps_p95_state) AS p95_output_fps,
            stddevPopMerge(output_fps_stddev_state) AS output_fps_deviation,
            sum(sample_count) AS status_samples,
            uniqExact(workflow_session_id) AS sessions
        FROM livepeer_analytics.agg_session_performance_1h AS hour
        WHERE hour.window_start > toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
            AND orchestrator_address != '' AND ifNull(hour.gpu_id, '') != ''
        GROUP BY window_start, orchestrator_address, pipeline, model_id, gpu_id, region
    ),
    tails AS
    (
        SELECT window_start, orchestrator_address, pipeline, model_id, gpu_id, region, count() AS sessions
        FROM livepeer_analytics.v_terminal_tails
        GROUP BY window_start, orchestrator_address, pipeline, model_id, gpu_id, region
    ),
    reliability AS
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
            sum(outcome.status_error_samples) AS status_error_samples,
            sum(outcome.health_signal_count) AS health_signal_count,
            sum(outcome.health_expected_signal_count) AS health_expected_signal_count,
            sum(outcome.known_health_signal_count) AS known_health_signal_count
        FROM livepeer_analytics.v_session_outcomes AS outcome
        WHERE orchestrator_address != '' AND gpu_id != ''
        GROUP BY window_start, orchestrator_address, pipeline, model_id, gpu_id, region
    ),
    latency AS
    (
        SELECT
            toStartOfHour(sample_ts) AS window_start,
            orchestrator_address,
            pipeline,
            ifNull(sample.model_id, '') AS model_id,
            ifNull(sample.gpu_id, '') AS gpu_id,
            ifNull(sample.region, '') AS region,
            avgIf(sample.prompt_to_first_frame_ms, has_prompt_to_first_frame = 1) AS prompt_to_first_frame_ms,
            avgIf(sample.startup_time_ms, has_startup_time = 1) AS startup_time_ms,
            avgIf(sample.e2e_latency_ms, has_e2e_latency = 1) AS e2e_latency_ms,
            quantileTDigestIf(0.95)(sample.prompt_to_first_frame_ms, has_prompt_to_first_frame = 1)
                AS p95_prompt_to_first_frame_ms,
            quantileTDigestIf(0.95)(sample.startup_time_ms, has_startup_time = 1) AS p95_startup_time_ms,
            quantileTDigestIf(0.95)(sample.e2e_latency_ms, has_e2e_latency = 1) AS p95_e2e_latency_ms,
            countIf(has_prompt_to_first_frame = 1) AS valid_prompt_to_first_frame_count,
            countIf(has_startup_time = 1) AS valid_startup_time_count,
            countIf(has_e2e_latency = 1) AS valid_e2e_latency_count
        FROM livepeer_analytics.fact_workflow_latency_samples AS sample
        WHERE sample_ts > toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
            AND orchestrator_address != '' AND ifNull(sample.gpu_id, '') != ''
        GROUP BY window_start, orchestrator_address, pipeline, model_id, gpu_id, region
    ),
    keys AS
    (
        SELECT window_start, orchestrator_address, pipeline, model_id, gpu_id, region
        FROM performance
        LEFT JOIN tails USING (window_start, orchestrator_address, pipeline, model_id, gpu_id, region)
        WHERE performance.sessions > tails.sessions
        UNION DISTINCT
        SELECT window_start, orchestrator_address, pipeline, model_id, gpu_id, region FROM reliability
        UNION DISTINCT
        SELECT window_start, orchestrator_address, pipeline, model_id, gpu_id, region FROM latency
    )
SELECT
    window_start,
    orchestrator_address,
    pipeline,
    nullIf(keys.model_id, '') AS model_id,
    keys.gpu_id AS gpu_id,
    nullIf(keys.region, '') AS region,
    label.gpu_name AS gpu_name,
    label.gpu_memory_total AS gpu_memory_total,
    label.runner_version AS runner_version,
    label.cuda_version AS cuda_version,
    if(performance.status_samples > 0, performance.avg_output_fps, NULL) AS avg_output_fps,
    if(performance.status_samples > 0, performance.p95_output_fps, NULL) AS p95_output_fps,
    performance.output_fps_deviation / nullIf(performance.avg_output_fps, 0) AS jitter_coeff_fps,
    performance.status_samples AS status_samples,
    latency.prompt_to_first_frame_ms AS prompt_to_first_frame_ms,
    latency.startup_time_ms AS startup_time_ms,
    latency.startup_time_ms / 1000 AS startup_time_s,
    latency.e2e_latency_ms AS e2e_latency_ms,
    latency.p95_prompt_to_first_frame_ms AS p95_prompt_to_first_frame_ms,
    latency.p95_startup_time_ms AS p95_startup_time_ms,
    latency.p95_e2e_latency_ms AS p95_e2e_latency_ms,
    latency.valid_prompt_to_first_frame_count AS valid_prompt_to_first_frame_count,
    latency.valid_startup_time_count AS valid_startup_time_count,
    latency.valid_e2e_latency_count AS valid_e2e_latency_count,
    reliability.known_sessions AS known_sessions,
    reliability.startup_success_sessions AS startup_success_sessions,
    reliability.excused_sessions AS excused_sessions,
    reliability.unexcused_sessions AS unexcused_sessions,
    reliability.confirmed_swapped_sessions AS confirmed_swapped_sessions,
    reliability.inferred_orchestrator_change_sessions AS inferred_orchestrator_change_sessions,
    reliability.swapped_sessions AS swapped_sessions,
    reliability.sessions_with_errors AS sessions_with_errors,
    reliability.sessions_with_last_error AS sessions_with_last_error,
    reliability.loading_only_sessions AS loading_only_sessions,
    reliability.zero_output_fps_sessions AS zero_output_fps_sessions,
    reliability.status_error_samples AS status_error_samples,
    reliability.health_signal_count AS health_signal_count,
    reliability.health_expected_signal_count AS health_expected_signal_count,
    ifNull(
        least(1., reliability.known_health_signal_count / nullIf(reliability.health_expected_signal_count, 0)), 1.
    ) AS health_completeness_ratio,
    ifNull(reliability.unexcused_sessions / nullIf(reliability.known_sessions, 0), 0.) AS failure_rate,
    ifNull(reliability.known_swapped_sessions / nullIf(reliability.known_sessions, 0), 0.) AS swap_rate
FROM keys
LEFT JOIN performance USING (window_start, orchestrator_address, pipeline, model_id, gpu_id, region)
LEFT JOIN reliability USING (window_start, orchestrator_address, pipeline, model_id, gpu_id, region)
LEFT JOIN latency USING (window_start, orchestrator_address, pipeline, model_id, gpu_id, region)
LEFT JOIN livepeer_analytics.v_gpu_labels AS label USING (orchestrator_address, model_id, gpu_id)
SETTINGS join_use_nulls = 0;

-- One row per hour, gateway, region, pipeline and model with samples or with sessions that started in the hour. What was paid in an
-- hour without a row that takes it is in a row of empty labels. From agg_session_performance_1h, v_session_outcomes and
-- v_session_fees.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_network_demand
(
    window_start DateTime('UTC') COMMENT 'start of the hour',
    gateway String,
    region String COMMENT 'empty: not known',
    pipeline String COMMENT 'empty: not known; that of the other sessions of the hour, gateway and model where they agree',
    model_id String COMMENT 'empty: not known',
    total_sessions UInt64 COMMENT 'distinct sessions with samples',
    total_streams UInt64 COMMENT 'distinct streams with samples',
    status_samples UInt64,
    total_minutes Float64 COMMENT 'status samples by 60: minutes, if there is one a second',
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
    fee_payment_eth Float64 COMMENT 'ETH'
)
AS
WITH
    outcomes AS
    (
        SELECT *, if(lower(outcome.pipeline) = lower(outcome.model_id), '', outcome.pipeline) AS own_pipeline
        FROM livepeer_analytics.v_session_outcomes AS outcome
    ),
    fallbacks AS
    (
        SELECT window_start, gateway, region, model_id, any(own_pipeline) AS only_pipeline
        FROM outcomes
        WHERE own_pipeline != ''
        GROUP BY window_start, gateway, region, model_id
        HAVING uniqExact(own_pipeline) = 1
    ),
    evidence AS
    (
        SELECT
            toStartOfHour(hour.window_start) AS window_start,
            gateway,
            ifNull(hour.region, '') AS region,
            ifNull(hour.model_id, '') AS model_id,
            if(lower(hour.pipeline) = lower(model_id), '', hour.pipeline) AS own_pipeline,
            workflow_session_id, stream_id, sample_count, output_fps_avg_state
        FROM livepeer_analytics.agg_session_performance_1h AS hour
        WHERE hour.window_start > toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
    ),
    performance AS
    (
        SELECT
            window_start, gateway, region, model_id,
            if(own_pipeline != '', own_pipeline, only_pipeline) AS pipeline,
            uniqExact(workflow_session_id) AS total_sessions,
            uniqExact(stream_id) AS total_streams,
            sum(sample_count) AS status_samples,
            avgMerge(output_fps_avg_state) AS avg_output_fps
        FROM evidence
        LEFT JOIN fallbacks USING (window_start, gateway, region, model_id)
        GROUP BY window_start, gateway, region, model_id, pipeline
    ),
    demand AS
    (
        SELECT
            window_start, gateway, region, model_id,
            if(own_pipeline != '', own_pipeline, only_pipeline) AS pipeline,
            sum(outcomes.known_sessions) AS known_sessions,
            countIf(outcomes.known_sessions = 1 AND orchestrator_address != '') AS served_sessions,
            countIf(outcomes.known_sessions = 1 AND orchestrator_address = '') AS unserved_sessions,
            sum(outcomes.unexcused_sessions) AS unexcused_sessions,
            sum(outcomes.confirmed_swapped_sessions) AS confirmed_swapped_sessions,
            sum(outcomes.inferred_orchestrator_change_sessions) AS inferred_orchestrator_change_sessions,
            sum(outcomes.swapped_sessions) AS swapped_sessions,
            sum(outcomes.sessions_with_errors) AS sessions_with_errors,
            sum(outcomes.sessions_with_last_error) AS sessions_with_last_error,
            sum(outcomes.loading_only_sessions) AS loading_only_sessions,
            sum(outcomes.zero_output_fps_sessions) AS zero_output_fps_sessions,
            sum(outcomes.effective_failed_sessions) AS effective_failed_sessions,
            sum(outcomes.known_effective_failed_sessions) AS known_effective_failed_sessions,
            sum(outcomes.status_error_samples) AS status_error_samples,
            sum(outcomes.health_signal_count) AS health_signal_count,
            sum(outcomes.health_expected_signal_count) AS health_expected_signal_count,
            sum(outcomes.known_health_signal_count) AS known_health_signal_count
        FROM outcomes
        LEFT JOIN fallbacks USING (window_start, gateway, region, model_id)
        GROUP BY window_start, gateway, region, model_id, pipeline
    ),
    evident_keys AS
    (
        SELECT window_start, gateway, region, pipeline, model_id FROM performance
        UNION DISTINCT
        SELECT window_start, gateway, region, pipeline, model_id FROM demand
    ),
    attributed_fees AS
    (
        SELECT
            window_start, gateway, region, model_id,
            if(lower(fee.pipeline) = lower(model_id), '', fee.pipeline) AS own_pipeline,
            if(own_pipeline != '', own_pipeline, only_pipeline) AS pipeline,
            sum(face_value_wei) AS wei
        FROM livepeer_analytics.v_session_fees AS fee
        LEFT JOIN fallbacks USING (window_start, gateway, region, model_id)
        GROUP BY window_start, gateway, region, model_id, own_pipeline, pipeline
    ),
    fees AS
    (
        SELECT
            window_start,
            if(has_row, attributed_fees.gateway, '') AS gateway,
            if(has_row, attributed_fees.region, '') AS region,
            if(has_row, attributed_fees.pipeline, '') AS pipeline,
            if(has_row, attributed_fees.model_id, '') AS model_id,
            toFloat64(sum(wei)) / 1e18 AS fee_payment_eth
        FROM
        (
            SELECT
                *,
                (window_start, gateway, region, pipeline, model_id) IN (
                    SELECT window_start, gateway, region, pipeline, model_id FROM evident_keys
                ) AS has_row
            FROM attributed_fees
        ) AS attributed_fees
        GROUP BY window_start, gateway, region, pipeline, model_id
    ),
    keys AS
    (
        SELECT window_start, gateway, region, pipeline, model_id FROM evident_keys
        UNION DISTINCT
        SELECT window_start, gateway, region, pipeline, model_id FROM fees
    )
SELECT
    window_start,
    gateway,
    region,
    pipeline,
    model_id,
    performance.total_sessions AS total_sessions,
    performance.total_streams AS total_streams,
    performance.status_samples AS status_samples,
    performance.status_samples / 60 AS total_minutes,
    if(performance.status_samples > 0, performance.avg_output_fps, NULL) AS avg_output_fps,
    demand.known_sessions AS known_sessions,
    demand.served_sessions AS served_sessions,
    demand.unserved_sessions AS unserved_sessions,
    demand.served_sessions + demand.unserved_sessions AS total_demand_sessions,
    demand.unexcused_sessions AS unexcused_sessions,
    demand.confirmed_swapped_sessions AS confirmed_swapped_sessions,
    demand.inferred_orchestrator_change_sessions AS inferred_orchestrator_change_sessions,
    demand.swapped_sessions AS swapped_sessions,
    demand.sessions_with_errors AS sessions_with_errors,
    demand.sessions_with_last_error AS sessions_with_last_error,
    demand.loading_only_sessions AS loading_only_sessions,
    demand.zero_output_fps_sessions AS zero_output_fps_sessions,
    demand.effective_failed_sessions AS effective_failed_sessions,
    demand.status_error_samples AS status_error_samples,
    demand.health_signal_count AS health_signal_count,
    demand.health_expected_signal_count AS health_expected_signal_count,
    ifNull(
        least(1., demand.known_health_signal_count / nullIf(demand.health_expected_signal_count, 0)), 1.
    ) AS health_completeness_ratio,
    demand.unserved_sessions AS missing_capacity_count,
    1 - demand.unexcused_sessions / nullIf(demand.known_sessions, 0) AS startup_success_ratio,
    1 - demand.known_effective_failed_sessions / nullIf(demand.known_sessions, 0) AS success_ratio,
    fees.fee_payment_eth AS fee_payment_eth
FROM keys
LEFT JOIN performance USING (window_start, gateway, region, pipeline, model_id)
LEFT JOIN demand USING (window_start, gateway, region, pipeline, model_id)
LEFT JOIN fees USING (window_start, gateway, region, pipeline, model_id)
SETTINGS join_use_nulls = 0;

-- One row per hour, gateway, orchestrator, region, pipeline, model and GPU with samples. A GPU that is not known is taken to be that of the
-- session that started last in the same hour with the same other labels. From agg_session_performance_1h, v_session_outcomes,
-- v_session_fees, v_gpu_labels and dim_orchestrator_capability_model_constraints.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_network_demand_by_gpu
(
    window_start DateTime('UTC') COMMENT 'start of the hour',
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
    used_inference_minutes Float64 COMMENT 'status samples by 60: minutes, if there is one a second',
    inference_minutes_by_gpu_type Float64 COMMENT 'the same as used_inference_minutes',
    available_capacity_minutes Float64 COMMENT 'minutes: what the orchestrator says now of the model, for all its GPUs, times 60',
    capacity_rate Float64 COMMENT 'used by available minutes; 0 where none are known',
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
    fee_payment_eth Float64 COMMENT 'ETH'
)
AS
WITH
    fallbacks AS
    (
        SELECT
            window_start, gateway, orchestrator_address, region, pipeline, model_id,
            argMax(gpu_id, (session_start_ts, workflow_session_id)) AS latest_gpu_id
        FROM livepeer_analytics.v_session_outcomes
        WHERE gpu_id != ''
        GROUP BY window_start, gateway, orchestrator_address, region, pipeline, model_id
    ),
    evidence AS
    (
        SELECT
            toStartOfHour(hour.window_start) AS window_start,
            gateway,
            orchestrator_address,
            ifNull(hour.region, '') AS region,
            pipeline,
            ifNull(hour.model_id, '') AS model_id,
            ifNull(hour.gpu_id, '') AS own_gpu_id,
            workflow_session_id, stream_id, sample_count
        FROM livepeer_analytics.agg_session_performance_1h AS hour
        WHERE hour.window_start > toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
    ),
    performance AS
    (
        SELECT
            window_start, gateway, orchestrator_address, region, pipeline, model_id,
            if(own_gpu_id != '', own_gpu_id, latest_gpu_id) AS gpu_id,
            uniqExact(workflow_session_id) AS total_sessions,
            uniqExact(stream_id) AS total_streams,
            sum(sample_count) AS status_samples
        FROM evidence
        LEFT JOIN fallbacks USING (window_start, gateway, orchestrator_address, region, pipeline, model_id)
        GROUP BY window_start, gateway, orchestrator_address, region, pipeline, model_id, gpu_id
    ),
    reliability AS
    (
        SELECT
            window_start, gateway, orchestrator_address, region, pipeline, model_id,
            if(outcome.gpu_id != '', outcome.gpu_id, latest_gpu_id) AS gpu_id,
            sum(outcome.known_sessions) AS known_sessions,
            sum(outcome.unexcused_sessions) AS unexcused_sessions,
            sum(outcome.confirmed_swapped_sessions) AS confirmed_swapped_sessions,
            sum(outcome.inferred_orchestrator_change_sessions) AS inferred_orchestrator_change_sessions,
            sum(outcome.swapped_sessions) AS swapped_sessions,
            sum(outcome.sessions_with_errors) AS sessions_with_errors,
            sum(outcome.sessions_with_last_error) AS sessions_with_last_error,
            sum(outcome.loading_only_sessions) AS loading_only_sessions,
            sum(outcome.zero_output_fps_sessions) AS zero_output_fps_sessions,
            sum(outcome.status_error_samples) AS status_error_samples,
            sum(outcome.health_signal_count) AS health_signal_count,
            sum(outcome.health_expected_signal_count) AS health_expected_signal_count,
            sum(outcome.known_health_signal_count) AS known_health_signal_count
        FROM livepeer_analytics.v_session_outcomes AS outcome
        LEFT JOIN fallbacks USING (window_start, gateway, orchestrator_address, region, pipeline, model_id)
        GROUP BY window_start, gateway, orchestrator_address, region, pipeline, model_id, gpu_id
    ),
    fees AS
    (
        SELECT
            window_start, gateway, orchestrator_address, region, pipeline, model_id,
            if(fee.gpu_id != '', fee.gpu_id, latest_gpu_id) AS gpu_id,
            toFloat64(sum(face_value_wei)) / 1e18 AS fee_payment_eth
        FROM livepeer_analytics.v_session_fees AS fee
        LEFT JOIN fallbacks USING (window_start, gateway, orchestrator_address, region, pipeline, model_id)
        GROUP BY window_start, gateway, orchestrator_address, region, pipeline, model_id, gpu_id
    ),
    capacities AS
    (
        SELECT
            orchestrator_address,
            model_id,
            argMax(latest.capacity, (snapshot_ts, source_event_uid, capability_id)) AS capacity
        FROM livepeer_analytics.dim_orchestrator_capability_model_constraints AS latest
        GROUP BY orchestrator_address, model_id
    )
SELECT
    window_start,
    gateway,
    orchestrator_address,
    region,
    pipeline,
    model_id,
    gpu_id,
    ifNull(label.gpu_name, 'unknown') AS gpu_type,
    performance.total_sessions AS total_sessions,
    performance.total_streams AS total_streams,
    performance.status_samples AS status_samples,
    performance.status_samples / 60 AS used_inference_minutes,
    used_inference_minutes AS inference_minutes_by_gpu_type,
    ifNull(capacities.capacity, 0) * 60. AS available_capacity_minutes,
    ifNull(used_inference_minutes / nullIf(available_capacity_minutes, 0), 0.) AS capacity_rate,
    reliability.known_sessions AS known_sessions,
    reliability.unexcused_sessions AS unexcused_sessions,
    reliability.confirmed_swapped_sessions AS confirmed_swapped_sessions,
    reliability.inferred_orchestrator_change_sessions AS inferred_orchestrator_change_sessions,
    reliability.swapped_sessions AS swapped_sessions,
    reliability.sessions_with_errors AS sessions_with_errors,
    reliability.sessions_with_last_error AS sessions_with_last_error,
    reliability.loading_only_sessions AS loading_only_sessions,
    reliability.zero_output_fps_sessions AS zero_output_fps_sessions,
    reliability.status_error_samples AS status_error_samples,
    reliability.health_signal_count AS health_signal_count,
    reliability.health_expected_signal_count AS health_expected_signal_count,
    ifNull(
        least(1., reliability.known_health_signal_count / nullIf(reliability.health_expected_signal_count, 0)), 1.
    ) AS health_completeness_ratio,
    reliability.unexcused_sessions AS missing_capacity_count,
    fees.fee_payment_eth AS fee_payment_eth
FROM performance
LEFT JOIN reliability USING (window_start, gateway, orchestrator_address, region, pipeline, model_id, gpu_id)
LEFT JOIN fees USING (window_start, gateway, orchestrator_address, region, pipeline, model_id, gpu_id)
LEFT JOIN livepeer_analytics.v_gpu_labels AS label USING (orchestrator_address, model_id, gpu_id)
LEFT JOIN capacities USING (orchestrator_address, model_id)
SETTINGS join_use_nulls = 0;

-- One row per hour, orchestrator, pipeline, model, GPU and region with samples: the sessions that have samples in the hour, but for their
-- terminal tails. A session counts whole in every such hour. From v_session_hours, v_terminal_tails and v_session_outcomes.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_sla_compliance
(
    window_start DateTime('UTC') COMMENT 'start of the hour',
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
    sla_score Nullable(Float64) COMMENT '0 to 100: 0.4 startup success, 0.2 no swap, 0.4 output, times health completeness'
)
AS SELECT
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
    ) * health_completeness_ratio * 100 AS sla_score
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
        sum(outcome.known_health_signal_count) AS known_health_signal_count
    FROM
    (
        SELECT window_start, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region
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
SETTINGS join_use_nulls = 0;

-- One row per five minutes, orchestrator, pipeline, model, GPU and region with at least 10 samples. From agg_stream_performance_1m.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_jitter_5m
(
    window_start_5m DateTime('UTC') COMMENT 'start of the five minutes',
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
    toStartOfFiveMinutes(minute.window_start) AS window_start_5m,
    orchestrator_address,
    pipeline,
    model_id,
    gpu_id,
    region,
    avgMerge(output_fps_avg_state) AS avg_output_fps,
    stddevPopMerge(fps_jitter_num_state) / nullIf(avgMerge(fps_jitter_den_state), 0) AS jitter_coeff_fps,
    countMerge(sample_count_state) AS status_samples
FROM livepeer_analytics.agg_stream_performance_1m AS minute
WHERE minute.window_start > toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
GROUP BY window_start_5m, orchestrator_address, pipeline, model_id, gpu_id, region
HAVING status_samples >= 10;

-- One row per session: whose it is. From fact_workflow_sessions.
CREATE VIEW IF NOT EXISTS livepeer_analytics.v_api_session_identity
(
    workflow_session_id String COMMENT 'stream_id|request_id',
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    stream_id String,
    request_id String,
    session_start_ts DateTime64(3, 'UTC'),
    session_end_ts Nullable(DateTime64(3, 'UTC')) COMMENT 'last activity',
    latest_version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read'
)
AS SELECT
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
