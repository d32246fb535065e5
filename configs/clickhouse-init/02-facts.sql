-- Facts about sessions, made from the typed tables, and rollups made from the facts.
-- For ClickHouse 24.11 and later, and for chDB. Every statement may be run again.
--
-- Each fact is stored in <name>_versions and read as <name>, a view that shows the latest version of each row and no
-- tombstones. The sorting key never changes while a row's other columns do, so that versions of one row meet:
-- * sessions, their segments and their latency: by session id, unpartitioned, for a session's start can move. They expire
--   by ingestion_timestamp, which grows with the version: an older version never outlives a newer one.
-- * everything else: by the hour of the event's own time, session and uid, in months.
-- In sorting keys toStartOfHour knows 1970 to 2106; times beyond are taken as the first or last hour of these.

-- One row per session: its outcome, attribution and first and last signs of life. From the signals in ai_stream_status,
-- stream_trace_events and ai_stream_events, and from network_capabilities.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_workflow_sessions_versions
(
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    workflow_session_id String COMMENT 'stream_id|request_id',
    workflow_type LowCardinality(String),
    workflow_id String,
    stream_id String,
    request_id String,
    session_id String COMMENT 'no source yet: always empty',
    pipeline String COMMENT 'of the attributed capability; empty: not attributed',
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    orchestrator_url String,
    model_id Nullable(String),
    gpu_id Nullable(String) COMMENT 'null: not attributed',
    region Nullable(String) COMMENT 'no source yet: always null',
    has_model_change UInt8 DEFAULT 0 COMMENT '1: more than one model',
    has_pipeline_change UInt8 DEFAULT 0 COMMENT '1: more than one pipeline',
    gpu_attribution_method LowCardinality(String) COMMENT 'how the capability snapshot was chosen; none: it was not',
    gpu_attribution_confidence Float32 COMMENT '0 to 1',
    attribution_status LowCardinality(String) COMMENT 'resolved, hardware_less, stale, ambiguous or unresolved',
    attribution_reason LowCardinality(String) COMMENT 'why it has that status',
    attribution_candidates String COMMENT 'wallet@url of those that could be meant, joined by commas; empty unless ambiguous',
    session_start_ts DateTime64(3, 'UTC') COMMENT 'earliest sign of the session',
    session_end_ts Nullable(DateTime64(3, 'UTC')) COMMENT 'latest signal: last activity, which need not be a close',
    known_stream UInt8 COMMENT '1: the gateway received the stream request',
    startup_success UInt8 COMMENT '1: the stream became playable',
    startup_excused UInt8 COMMENT '1: it did not, for a reason outside the network',
    startup_unexcused UInt8 COMMENT '1: it did not, without such a reason',
    confirmed_swap_count UInt16 COMMENT 'orchestrator_swap traces',
    inferred_orchestrator_change_count UInt16 COMMENT 'distinct orchestrators but one',
    swap_count UInt16 COMMENT 'the same as confirmed_swap_count',
    error_count UInt32 COMMENT 'error events',
    excusable_error_count UInt32 COMMENT 'error events with an excusable text',
    last_error_occurred UInt8 DEFAULT 0 COMMENT '1: a status had a last_error',
    loading_only_session UInt8 DEFAULT 0 COMMENT '1: every status was LOADING',
    zero_output_fps_session UInt8 DEFAULT 0 COMMENT '1: no status had output',
    status_sample_count UInt32 DEFAULT 0,
    status_error_sample_count UInt32 DEFAULT 0 COMMENT 'statuses with a last_error',
    health_signal_count UInt32 DEFAULT 0 COMMENT 'of status, first processed and first playable segment: 0 to 3',
    health_expected_signal_count UInt32 DEFAULT 0 COMMENT '3 for known streams, else 0',
    health_completeness_ratio Float32 DEFAULT 1 COMMENT 'signals by expected signals; 1 if none are expected',
    first_stream_request_ts Nullable(DateTime64(3, 'UTC')),
    first_processed_ts Nullable(DateTime64(3, 'UTC')),
    first_playable_ts Nullable(DateTime64(3, 'UTC')),
    event_count UInt32 COMMENT 'signals',
    source_first_event_uid String,
    source_last_event_uid String,
    first_event_timestamp DateTime64(3, 'UTC') COMMENT 'earliest event_timestamp among its typed rows',
    last_event_timestamp DateTime64(3, 'UTC') COMMENT 'latest event_timestamp among its typed rows',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (workflow_session_id, org_key)
TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_workflow_sessions AS
SELECT
    org, workflow_session_id, workflow_type, workflow_id, stream_id, request_id, session_id, pipeline, gateway,
    orchestrator_address, orchestrator_url, model_id, gpu_id, region, has_model_change, has_pipeline_change,
    gpu_attribution_method, gpu_attribution_confidence, attribution_status, attribution_reason, attribution_candidates,
    session_start_ts, session_end_ts, known_stream, startup_success, startup_excused, startup_unexcused,
    confirmed_swap_count, inferred_orchestrator_change_count, swap_count, error_count, excusable_error_count,
    last_error_occurred, loading_only_session, zero_output_fps_session, status_sample_count, status_error_sample_count,
    health_signal_count, health_expected_signal_count, health_completeness_ratio, first_stream_request_ts,
    first_processed_ts, first_playable_ts, event_count, source_first_event_uid, source_last_event_uid,
    first_event_timestamp, last_event_timestamp, ingestion_timestamp, version
FROM livepeer_analytics.fact_workflow_sessions_versions FINAL;

-- One row per session and segment: a stretch of a session on one orchestrator. From the same signals.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_workflow_session_segments_versions
(
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    workflow_session_id String COMMENT 'stream_id|request_id',
    segment_index UInt16 COMMENT 'from 0',
    segment_start_ts DateTime64(3, 'UTC'),
    segment_end_ts Nullable(DateTime64(3, 'UTC')) COMMENT 'null: still open',
    gateway String,
    pipeline String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    orchestrator_url String,
    worker_id Nullable(String) COMMENT 'no source yet',
    gpu_id Nullable(String) COMMENT 'null: not attributed',
    model_id Nullable(String),
    region Nullable(String) COMMENT 'no source yet: always null',
    gpu_attribution_method LowCardinality(String) COMMENT 'how the capability snapshot was chosen; none: it was not',
    gpu_attribution_confidence Float32 COMMENT '0 to 1',
    attribution_status LowCardinality(String) COMMENT 'resolved, hardware_less, stale, ambiguous or unresolved',
    attribution_reason LowCardinality(String) COMMENT 'why it has that status',
    attribution_candidates String COMMENT 'wallet@url of those that could be meant, joined by commas; empty unless ambiguous',
    reason LowCardinality(String) COMMENT 'initial, orchestrator_change or stream_closed',
    source_trace_type LowCardinality(String),
    source_event_uid String COMMENT 'of the signal that changed it last',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (workflow_session_id, segment_index, org_key)
TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_workflow_session_segments AS
SELECT
    org, workflow_session_id, segment_index, segment_start_ts, segment_end_ts, gateway, pipeline, orchestrator_address,
    orchestrator_url, worker_id, gpu_id, model_id, region, gpu_attribution_method, gpu_attribution_confidence,
    attribution_status, attribution_reason, attribution_candidates, reason, source_trace_type, source_event_uid,
    ingestion_timestamp, version
FROM livepeer_analytics.fact_workflow_session_segments_versions FINAL;

-- One row per params_update event. From ai_stream_events.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_workflow_param_updates_versions
(
    update_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    workflow_session_id String COMMENT 'stream_id|request_id',
    stream_id String,
    request_id String,
    pipeline String,
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    orchestrator_url String,
    model_id Nullable(String) COMMENT 'null: not attributed',
    gpu_id Nullable(String) COMMENT 'null: not attributed',
    gpu_attribution_method LowCardinality(String) COMMENT 'how the capability snapshot was chosen; none: it was not',
    gpu_attribution_confidence Float32 COMMENT '0 to 1',
    update_type LowCardinality(String),
    message String,
    source_event_uid String,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    update_date Date32 MATERIALIZED toDate32(update_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(update_ts)
ORDER BY (toStartOfHour(update_ts), workflow_session_id, source_event_uid, org_key)
TTL toDateTime(least(greatest(update_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_workflow_param_updates AS
SELECT
    update_ts, org, workflow_session_id, stream_id, request_id, pipeline, gateway, orchestrator_address,
    orchestrator_url, model_id, gpu_id, gpu_attribution_method, gpu_attribution_confidence, update_type, message,
    source_event_uid, ingestion_timestamp, version, update_date
FROM livepeer_analytics.fact_workflow_param_updates_versions FINAL;

-- One row per signal: which edges of its session's start were known once it was taken into account. From the same
-- signals.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_lifecycle_edge_coverage_versions
(
    signal_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    workflow_session_id String COMMENT 'stream_id|request_id',
    stream_id String,
    request_id String,
    pipeline String COMMENT 'the model label of the first signal that has one',
    model_id Nullable(String),
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    trace_type LowCardinality(String) COMMENT 'empty: the signal is not a trace',
    source_event_uid String,
    known_stream UInt8 COMMENT '1: the gateway had received the stream request',
    has_first_processed_edge UInt8,
    has_first_playable_edge UInt8,
    startup_edge_matched UInt8 COMMENT '1: known, and a first processed segment',
    playable_edge_matched UInt8 COMMENT '1: known, and playable',
    is_terminal_signal UInt8 COMMENT '1: the stream was closed',
    unmatched_reason LowCardinality(String) COMMENT 'empty: nothing was missing',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    signal_date Date32 MATERIALIZED toDate32(signal_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(signal_ts)
ORDER BY (toStartOfHour(signal_ts), workflow_session_id, source_event_uid, org_key)
TTL toDateTime(least(greatest(signal_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_lifecycle_edge_coverage AS
SELECT
    signal_ts, org, workflow_session_id, stream_id, request_id, pipeline, model_id, gateway, orchestrator_address,
    trace_type, source_event_uid, known_stream, has_first_processed_edge, has_first_playable_edge, startup_edge_matched,
    playable_edge_matched, is_terminal_signal, unmatched_reason, ingestion_timestamp, version, signal_date
FROM livepeer_analytics.fact_lifecycle_edge_coverage_versions FINAL;

-- One row per session: how long its start took. From the input of fact_workflow_sessions.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_workflow_latency_samples_versions
(
    sample_ts DateTime64(3, 'UTC') COMMENT 'start of the session',
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    workflow_session_id String COMMENT 'stream_id|request_id',
    stream_id String,
    request_id String,
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    pipeline String,
    model_id Nullable(String),
    gpu_id Nullable(String) COMMENT 'null: not attributed',
    region Nullable(String) COMMENT 'no source yet: always null',
    prompt_to_first_frame_ms Nullable(Float64) COMMENT 'milliseconds; stream request to first processed segment',
    startup_time_ms Nullable(Float64) COMMENT 'milliseconds; first processed to first playable segment',
    e2e_latency_ms Nullable(Float64) COMMENT 'milliseconds; stream request to first playable segment',
    has_prompt_to_first_frame UInt8 COMMENT '1: the value is there',
    has_startup_time UInt8 COMMENT '1: the value is there',
    has_e2e_latency UInt8 COMMENT '1: the value is there',
    edge_semantics_version LowCardinality(String) COMMENT 'which pairs of edges are compared',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    sample_date Date32 MATERIALIZED toDate32(sample_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (workflow_session_id, org_key)
TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_workflow_latency_samples AS
SELECT
    sample_ts, org, workflow_session_id, stream_id, request_id, gateway, orchestrator_address, pipeline, model_id,
    gpu_id, region, prompt_to_first_frame_ms, startup_time_ms, e2e_latency_ms, has_prompt_to_first_frame,
    has_startup_time, has_e2e_latency, edge_semantics_version, ingestion_timestamp, version, sample_date
FROM livepeer_analytics.fact_workflow_latency_samples_versions FINAL;

-- One row per ai_stream_status event, attributed by the segment that it lies in. From ai_stream_status and the segments.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_stream_status_samples_versions
(
    sample_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    workflow_session_id String COMMENT 'stream_id|request_id',
    stream_id String,
    request_id String,
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    orchestrator_url String,
    pipeline String,
    model_id Nullable(String) COMMENT 'null: not attributed',
    gpu_id Nullable(String) COMMENT 'null: not attributed',
    region Nullable(String) COMMENT 'no source yet: always null',
    state LowCardinality(String),
    output_fps Float32 COMMENT 'frames per second',
    input_fps Float32 COMMENT 'frames per second',
    is_attributed UInt8 DEFAULT 0 COMMENT '1: its segment has an orchestrator',
    gpu_attribution_method LowCardinality(String) COMMENT 'segment_window_join or none',
    gpu_attribution_confidence Float32 COMMENT '0 to 1',
    attribution_status LowCardinality(String) COMMENT 'resolved, hardware_less, stale, ambiguous or unresolved',
    attribution_reason LowCardinality(String) COMMENT 'why it has that status',
    attribution_candidates String COMMENT 'wallet@url of those that could be meant, joined by commas; empty unless ambiguous',
    source_event_uid String,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    sample_date Date32 MATERIALIZED toDate32(sample_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(sample_ts)
ORDER BY (toStartOfHour(sample_ts), workflow_session_id, source_event_uid, org_key)
TTL toDateTime(least(greatest(sample_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_stream_status_samples AS
SELECT
    sample_ts, org, workflow_session_id, stream_id, request_id, gateway, orchestrator_address, orchestrator_url,
    pipeline, model_id, gpu_id, region, state, output_fps, input_fps, is_attributed, gpu_attribution_method,
    gpu_attribution_confidence, attribution_status, attribution_reason, attribution_candidates, source_event_uid,
    ingestion_timestamp, version, sample_date
FROM livepeer_analytics.fact_stream_status_samples_versions FINAL;

-- One row per stream_trace event, attributed by the segment that it lies in. From stream_trace_events and the segments.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_stream_trace_edges_versions
(
    edge_ts DateTime64(3, 'UTC') COMMENT 'the time of the step, or of the event without one',
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    workflow_session_id String COMMENT 'stream_id|request_id',
    stream_id String,
    request_id String,
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    orchestrator_url String,
    pipeline String,
    model_id Nullable(String) COMMENT 'null: not attributed',
    trace_type LowCardinality(String),
    trace_category LowCardinality(String),
    is_swap_event UInt8 COMMENT '1: orchestrator_swap',
    is_attributed UInt8 DEFAULT 0 COMMENT '1: its segment has an orchestrator',
    source_event_uid String,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    edge_date Date32 MATERIALIZED toDate32(edge_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(edge_ts)
ORDER BY (toStartOfHour(edge_ts), workflow_session_id, source_event_uid, org_key)
TTL toDateTime(least(greatest(edge_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_stream_trace_edges AS
SELECT
    edge_ts, org, workflow_session_id, stream_id, request_id, gateway, orchestrator_address, orchestrator_url, pipeline,
    model_id, trace_type, trace_category, is_swap_event, is_attributed, source_event_uid, ingestion_timestamp, version,
    edge_date
FROM livepeer_analytics.fact_stream_trace_edges_versions FINAL;

-- One row per stream_ingest_metrics event, not attributed. From stream_ingest_metrics.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_stream_ingest_samples_versions
(
    sample_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    workflow_session_id String COMMENT 'stream_id|request_id',
    stream_id String,
    request_id String,
    connection_quality LowCardinality(String),
    video_jitter Float32 COMMENT 'milliseconds',
    audio_jitter Float32 COMMENT 'milliseconds',
    video_latency Float32 COMMENT 'unit of the producer',
    audio_latency Float32 COMMENT 'unit of the producer',
    bytes_received UInt64 COMMENT 'bytes',
    bytes_sent UInt64 COMMENT 'bytes',
    source_event_uid String,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    sample_date Date32 MATERIALIZED toDate32(sample_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(sample_ts)
ORDER BY (toStartOfHour(sample_ts), workflow_session_id, source_event_uid, org_key)
TTL toDateTime(least(greatest(sample_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_stream_ingest_samples AS
SELECT
    sample_ts, org, workflow_session_id, stream_id, request_id, connection_quality, video_jitter, audio_jitter,
    video_latency, audio_latency, bytes_received, bytes_sent, source_event_uid, ingestion_timestamp, version,
    sample_date
FROM livepeer_analytics.fact_stream_ingest_samples_versions FINAL;

-- One row per bandwidth sample. Nothing sends these yet: the table is empty.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_orchestrator_transport_bandwidth_versions
(
    sample_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    gateway String,
    workflow_session_id Nullable(String),
    stream_id Nullable(String),
    request_id Nullable(String),
    link_type LowCardinality(String),
    rx_bps UInt64 COMMENT 'bits per second received',
    tx_bps UInt64 COMMENT 'bits per second sent',
    source_system LowCardinality(String),
    source_sample_id String,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    sample_date Date32 MATERIALIZED toDate32(sample_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(sample_ts)
ORDER BY (toStartOfHour(sample_ts), orchestrator_address, gateway, source_sample_id, org_key)
TTL toDateTime(least(greatest(sample_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_orchestrator_transport_bandwidth AS
SELECT
    sample_ts, org, orchestrator_address, gateway, workflow_session_id, stream_id, request_id, link_type, rx_bps,
    tx_bps, source_system, source_sample_id, ingestion_timestamp, version, sample_date
FROM livepeer_analytics.fact_orchestrator_transport_bandwidth_versions FINAL;

-- One row per minute, gateway, orchestrator, pipeline, model, GPU and region. From the attributed samples in
-- fact_stream_status_samples.
CREATE TABLE IF NOT EXISTS livepeer_analytics.agg_stream_performance_1m_versions
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the minute',
    org LowCardinality(String) DEFAULT '',
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id Nullable(String),
    gpu_id Nullable(String),
    region Nullable(String),
    sessions_uniq_state AggregateFunction(uniqExact, String) COMMENT 'workflow_session_id',
    streams_uniq_state AggregateFunction(uniqExact, String) COMMENT 'stream_id',
    output_fps_avg_state AggregateFunction(avg, Float32) COMMENT 'frames per second',
    output_fps_p95_state AggregateFunction(quantileTDigest(0.95), Float32) COMMENT 'frames per second',
    fps_jitter_num_state AggregateFunction(stddevPop, Float64) COMMENT 'frames per second, output',
    fps_jitter_den_state AggregateFunction(avg, Float32) COMMENT 'frames per second, output',
    sample_count_state AggregateFunction(count),
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(window_start)
ORDER BY (window_start, gateway, orchestrator_address, pipeline, ifNull(model_id, ''), ifNull(gpu_id, ''), ifNull(region, ''), org)
TTL toDateTime(least(greatest(window_start, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 365 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.agg_stream_performance_1m AS
SELECT
    window_start, org, gateway, orchestrator_address, pipeline, model_id, gpu_id, region, sessions_uniq_state,
    streams_uniq_state, output_fps_avg_state, output_fps_p95_state, fps_jitter_num_state, fps_jitter_den_state,
    sample_count_state, ingestion_timestamp, version
FROM livepeer_analytics.agg_stream_performance_1m_versions FINAL;

-- One row per hour, session, gateway, orchestrator, pipeline, model, GPU and region: what a session showed in an hour. From
-- the attributed samples in fact_stream_status_samples.
CREATE TABLE IF NOT EXISTS livepeer_analytics.agg_session_performance_1h_versions
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    org LowCardinality(String) DEFAULT '',
    workflow_session_id String COMMENT 'stream_id|request_id',
    stream_id String,
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id Nullable(String),
    gpu_id Nullable(String),
    region Nullable(String),
    sample_count UInt32 COMMENT 'status samples',
    output_sample_count UInt32 COMMENT 'status samples with output',
    running_sample_count UInt32 COMMENT 'status samples in state ONLINE, DEGRADED_INFERENCE or DEGRADED_INPUT',
    output_fps_avg_state AggregateFunction(avg, Float32) COMMENT 'frames per second',
    output_fps_p95_state AggregateFunction(quantileTDigest(0.95), Float32) COMMENT 'frames per second',
    output_fps_stddev_state AggregateFunction(stddevPop, Float64) COMMENT 'frames per second',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(window_start)
ORDER BY (window_start, workflow_session_id, gateway, orchestrator_address, pipeline, ifNull(model_id, ''), ifNull(gpu_id, ''), ifNull(region, ''), org)
TTL toDateTime(least(greatest(window_start, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 365 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.agg_session_performance_1h AS
SELECT
    window_start, org, workflow_session_id, stream_id, gateway, orchestrator_address, pipeline, model_id, gpu_id,
    region, sample_count, output_sample_count, running_sample_count, output_fps_avg_state, output_fps_p95_state,
    output_fps_stddev_state, ingestion_timestamp, version
FROM livepeer_analytics.agg_session_performance_1h_versions FINAL;

-- One row per day, pipeline and model: how good the benchmark rows of the day were, in all orgs. A benchmark row is the average of an hour,
-- orchestrator and GPU. A row without a pipeline and a model may be a tombstone from the beginning: it says when its day was looked at.
-- From agg_session_performance_1h and fact_workflow_latency_samples.
CREATE TABLE IF NOT EXISTS livepeer_analytics.agg_quality_benchmark_1d_versions
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the day',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    prompt_to_first_frame_rows UInt64 COMMENT 'benchmark rows that have it',
    prompt_to_first_frame_ms_p50 Nullable(Float64) COMMENT 'milliseconds, t-digest',
    prompt_to_first_frame_ms_p90 Nullable(Float64) COMMENT 'milliseconds, t-digest',
    e2e_latency_rows UInt64 COMMENT 'benchmark rows that have it',
    e2e_latency_ms_p50 Nullable(Float64) COMMENT 'milliseconds, t-digest',
    e2e_latency_ms_p90 Nullable(Float64) COMMENT 'milliseconds, t-digest',
    output_fps_rows UInt64 COMMENT 'benchmark rows that have it',
    output_fps_p10 Nullable(Float64) COMMENT 'frames per second, t-digest',
    output_fps_p50 Nullable(Float64) COMMENT 'frames per second, t-digest',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(window_start)
ORDER BY (window_start, pipeline, model_id)
TTL toDateTime(least(greatest(window_start, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 365 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.agg_quality_benchmark_1d AS
SELECT
    window_start, pipeline, model_id, prompt_to_first_frame_rows, prompt_to_first_frame_ms_p50,
    prompt_to_first_frame_ms_p90, e2e_latency_rows, e2e_latency_ms_p50, e2e_latency_ms_p90, output_fps_rows,
    output_fps_p10, output_fps_p50, ingestion_timestamp, version
FROM livepeer_analytics.agg_quality_benchmark_1d_versions FINAL;

-- One row per org and job: its outcome, attribution, tokens and cost. From ai_batch_requests and ai_llm_requests, or from
-- job_gateway_events, job_orchestrator_events, job_payment_events and worker_lifecycle_events; and from network_capabilities.
-- Sorted and kept as sessions are.
CREATE TABLE IF NOT EXISTS livepeer_analytics.fact_jobs_versions
(
    org LowCardinality(String) DEFAULT '',
    job_id String COMMENT 'job_type|request_id; without a request_id job_type|| and the uid of the event that completes it',
    job_type LowCardinality(String) COMMENT 'ai_batch or byoc',
    request_id String COMMENT 'of BYOC jobs the sender of the job chooses it',
    gateway String,
    pipeline String COMMENT 'of batch jobs',
    capability String COMMENT 'of BYOC jobs',
    model_id String COMMENT 'of BYOC jobs that of the worker, several joined by commas, else that of the snapshot',
    received_at Nullable(DateTime64(3, 'UTC')) COMMENT 'null: no event says it',
    completed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'null: open',
    outcome LowCardinality(String) COMMENT 'success, stream_failed, no_orchestrator, failed or open',
    selection_outcome LowCardinality(String) COMMENT 'selected, no_orch or unknown',
    error_type LowCardinality(String) COMMENT 'of batch jobs, as sent',
    error String,
    attempts UInt32,
    duration_ms Nullable(Int64) COMMENT 'milliseconds; of an answer that is streamed, to its end',
    ttft_ms Nullable(Int64) COMMENT 'milliseconds to the first token of a stream',
    prompt_tokens Nullable(Int64),
    completion_tokens Nullable(Int64),
    total_tokens Nullable(Int64),
    finish_reason LowCardinality(String) COMMENT 'of a language model, as sent; empty: it sent no answer',
    http_status Nullable(UInt16) COMMENT '0: the worker did not answer',
    worker_url String COMMENT 'of BYOC jobs',
    orchestrator_url String COMMENT 'as sent, else that of the snapshot',
    orchestrator_address String COMMENT 'canonical wallet, lower-case; empty: not attributed',
    gpu_id Nullable(String) COMMENT 'null: not attributed',
    attribution_status LowCardinality(String) COMMENT 'resolved, hardware_less, stale, ambiguous or unresolved',
    attribution_reason LowCardinality(String) COMMENT 'why it has that status',
    attribution_candidates String COMMENT 'wallet@url of those that could be meant, joined by commas; empty unless ambiguous',
    price_per_unit Nullable(Float64) COMMENT 'wei for a unit; of BYOC jobs for a second',
    charged_wei Nullable(UInt64) COMMENT 'wei for all attempts, at most 2^64 - 1; null: nothing says that anything was charged',
    event_count UInt32 COMMENT 'events that it is made of',
    first_event_timestamp DateTime64(3, 'UTC') COMMENT 'earliest event_timestamp among its typed rows',
    last_event_timestamp DateTime64(3, 'UTC') COMMENT 'latest event_timestamp among its typed rows',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (org, job_id)
TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.fact_jobs AS
SELECT
    org, job_id, job_type, request_id, gateway, pipeline, capability, model_id, received_at, completed_at, outcome,
    selection_outcome, error_type, error, attempts, duration_ms, ttft_ms, prompt_tokens, completion_tokens,
    total_tokens, finish_reason, http_status, worker_url, orchestrator_url, orchestrator_address, gpu_id,
    attribution_status, attribution_reason, attribution_candidates, price_per_unit, charged_wei, event_count,
    first_event_timestamp, last_event_timestamp, ingestion_timestamp, version
FROM livepeer_analytics.fact_jobs_versions FINAL;

-- What `lpa ingest` still has to derive by itself: rows of these topics with this batch time or a later one may be
-- missing in the facts. One row per topic while it runs; what a killed process leaves is done by the next.
CREATE TABLE IF NOT EXISTS livepeer_analytics.underived
(
    topic String,
    batch_time Int64 COMMENT 'epoch milliseconds',
    version UInt64 COMMENT 'microseconds since 1970 on the server',
    is_deleted UInt8 COMMENT '1: everything is derived'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY topic
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;
