-- Tables of accepted events, dead letters and quarantined duplicates, and the views under their older names.
-- For ClickHouse 24.11 and later, and for chDB. Every statement may be run again.
--
-- All tables
-- * take inserts with an insert_deduplication_token; the windows say for how many blocks it is remembered, on plain
--   and on replicated engines. Without them a repeated insert is stored twice, silently.
-- * have event_date as Date32: Date wraps for times before 1970 and after 2149.
-- * expire by the later of event time and arrival, so that late, replayed and wrongly dated events stay as long as
--   others. The bound of 2100 keeps DateTime, which ends in 2106, from wrapping.

CREATE DATABASE IF NOT EXISTS livepeer_analytics;

-- One row per accepted event, with its original text. Other tables reach it by raw_event_uid and position.
CREATE TABLE IF NOT EXISTS livepeer_analytics.streaming_events
(
    id String,
    type LowCardinality(String),
    timestamp Int64 COMMENT 'epoch milliseconds, as sent',
    gateway String,
    version LowCardinality(String),
    raw_json String COMMENT 'the record, byte for byte',
    dedup_key String,
    dedup_strategy LowCardinality(String) COMMENT 'event_id or payload_hash',
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    source_record_timestamp DateTime64(3, 'UTC'),
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    replay_id String,
    replay_attempt UInt16 COMMENT 'how often the record had been replayed',
    event_timestamp DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Milli(timestamp, 'UTC'),
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    dedup_key_hash UInt32 MATERIALIZED xxHash32(dedup_key) COMMENT 'shorter to read than dedup_key, where many keys are looked up',
    raw_event_uid String ALIAS dedup_key,
    data String ALIAS arrayLast(pair -> pair.1 = 'data', JSONExtractKeysAndValuesRaw(raw_json)).2 COMMENT 'its value, the last of several; raw_json has the exact text',
    INDEX raw_event_uid_index dedup_key TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, type, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- One row per dead letter: a reject that is not a duplicate.
CREATE TABLE IF NOT EXISTS livepeer_analytics.streaming_events_dlq
(
    schema_version LowCardinality(String),
    source_topic String,
    source_partition UInt32,
    source_offset UInt64,
    source_record_timestamp DateTime64(3, 'UTC'),
    failure_stage LowCardinality(String),
    failure_class LowCardinality(String),
    failure_reason String,
    failure_details String,
    event_id String,
    event_type LowCardinality(String),
    event_version Nullable(String),
    event_timestamp Nullable(DateTime64(3, 'UTC')),
    orchestrator Nullable(String),
    broadcaster Nullable(String),
    region Nullable(String),
    payload_encoding LowCardinality(String) COMMENT 'json or base64',
    payload_body String,
    payload_canonical_json Nullable(String),
    payload_size UInt64 COMMENT 'bytes of the whole record',
    payload_sha256 String COMMENT 'of the whole record, lower-case hex',
    payload_truncated UInt8 COMMENT '1: payload_body holds only its beginning',
    dedup_key Nullable(String),
    dedup_strategy Nullable(String),
    replay UInt8,
    replay_id Nullable(String),
    attempt UInt16 COMMENT 'how often the record had been replayed',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'time of the rejection',
    org LowCardinality(String) DEFAULT '',
    traceparent String COMMENT 'header of the record: which trace of its producer it belongs to',
    event_date Date32 MATERIALIZED toDate32(coalesce(event_timestamp, source_record_timestamp)),
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, failure_class, event_type, source_topic, source_partition, source_offset)
TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 30 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- One row per duplicate.
CREATE TABLE IF NOT EXISTS livepeer_analytics.streaming_events_quarantine
(
    schema_version LowCardinality(String),
    source_topic String,
    source_partition UInt32,
    source_offset UInt64,
    source_record_timestamp DateTime64(3, 'UTC'),
    failure_stage LowCardinality(String),
    failure_class LowCardinality(String),
    failure_reason String,
    failure_details String,
    event_id String,
    event_type LowCardinality(String),
    event_version Nullable(String),
    event_timestamp Nullable(DateTime64(3, 'UTC')),
    orchestrator Nullable(String),
    broadcaster Nullable(String),
    region Nullable(String),
    payload_encoding LowCardinality(String) COMMENT 'json or base64',
    payload_body String,
    payload_canonical_json Nullable(String),
    payload_size UInt64 COMMENT 'bytes of the whole record',
    payload_sha256 String COMMENT 'of the whole record, lower-case hex',
    payload_truncated UInt8 COMMENT '1: payload_body holds only its beginning',
    dedup_key Nullable(String),
    dedup_strategy Nullable(String),
    replay UInt8,
    replay_id Nullable(String),
    attempt UInt16 COMMENT 'how often the record had been replayed',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'time of the rejection',
    org LowCardinality(String) DEFAULT '',
    traceparent String COMMENT 'header of the record: which trace of its producer it belongs to',
    event_date Date32 MATERIALIZED toDate32(coalesce(event_timestamp, source_record_timestamp)),
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, failure_class, event_type, source_topic, source_partition, source_offset)
TTL
    toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 30 DAY,
    toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 7 DAY DELETE WHERE ifNull(dedup_strategy, '') != 'event_id'
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- ai_stream_status, one row per event.
CREATE TABLE IF NOT EXISTS livepeer_analytics.ai_stream_status
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    stream_id String,
    request_id String,
    gateway String,
    orchestrator_address String COMMENT 'lower-case; may be a proxy wallet',
    orchestrator_url String,
    pipeline LowCardinality(String) COMMENT 'the model label',
    output_fps Float32 COMMENT 'frames per second',
    input_fps Float32 COMMENT 'frames per second',
    state LowCardinality(String),
    restart_count UInt32,
    last_error Nullable(String),
    last_error_time Nullable(DateTime64(3, 'UTC')),
    prompt_text Nullable(String),
    prompt_width UInt16 COMMENT 'pixels',
    prompt_height UInt16 COMMENT 'pixels',
    params_hash String,
    start_time Nullable(DateTime64(3, 'UTC')),
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    event_hour UInt8 MATERIALIZED toHour(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX stream_id_index trimBoth(stream_id) TYPE bloom_filter,
    INDEX orchestrator_address_index orchestrator_address TYPE bloom_filter,
    INDEX pipeline_index pipeline TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, orchestrator_address, pipeline, stream_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- stream_ingest_metrics, one row per event.
CREATE TABLE IF NOT EXISTS livepeer_analytics.stream_ingest_metrics
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    stream_id String,
    request_id String,
    connection_quality LowCardinality(String),
    video_jitter Float32 COMMENT 'milliseconds',
    video_packets_received UInt32,
    video_packets_lost UInt32,
    video_packet_loss_pct Float32 COMMENT 'percent',
    video_rtt Float32 COMMENT 'nanoseconds',
    video_last_input_ts Float64 COMMENT 'seconds of media time',
    video_latency Float32 COMMENT 'today no producer sets it',
    audio_jitter Float32 COMMENT 'milliseconds',
    audio_packets_received UInt32,
    audio_packets_lost UInt32,
    audio_packet_loss_pct Float32 COMMENT 'percent',
    audio_rtt Float32 COMMENT 'nanoseconds',
    audio_last_input_ts Float64 COMMENT 'seconds of media time',
    audio_latency Float32 COMMENT 'today no producer sets it',
    bytes_received UInt64 COMMENT 'bytes',
    bytes_sent UInt64 COMMENT 'bytes',
    video_rtt_ms Float64 ALIAS video_rtt / 1000000 COMMENT 'milliseconds',
    audio_rtt_ms Float64 ALIAS audio_rtt / 1000000 COMMENT 'milliseconds',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, stream_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- stream_trace, one row per event.
CREATE TABLE IF NOT EXISTS livepeer_analytics.stream_trace_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    stream_id String,
    request_id String,
    gateway String,
    orchestrator_address String COMMENT 'lower-case; may be a proxy wallet',
    orchestrator_url String,
    trace_type LowCardinality(String),
    data_timestamp DateTime64(3, 'UTC') COMMENT 'time that the producer gives the step',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX stream_id_index trimBoth(stream_id) TYPE bloom_filter,
    INDEX request_id_index request_id TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, request_id, trace_type, data_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- create_signed_ticket, one row per event.
CREATE TABLE IF NOT EXISTS livepeer_analytics.signed_ticket_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    session_id String,
    session_status String COMMENT 'new or continuing',
    app String,
    pipeline String,
    model_id String,
    request_id String COMMENT 'of the call to the signer: no other event has it',
    manifest_id String,
    auth_id String COMMENT 'client_id, or client_id:user',
    orchestrator_address String COMMENT 'proxy wallet, lower-case',
    orchestrator_url String,
    signed_at Nullable(DateTime64(3, 'UTC')),
    previous_at Nullable(DateTime64(3, 'UTC')) COMMENT 'of the ticket before; the same as signed_at at first',
    billable_secs Nullable(Float64) COMMENT 'seconds; the first are in advance',
    pixels Nullable(UInt64) COMMENT '0 unless video',
    sequence_number Nullable(UInt64),
    num_tickets Nullable(UInt64),
    computed_fee String COMMENT 'wei, as sent',
    session_balance String COMMENT 'wei, as sent; may be negative',
    unit_cost String COMMENT 'wei per pixel (video), second (live) or job (fixed)',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    fee_wei UInt256 MATERIALIZED toUInt256OrZero(extract(computed_fee, '^\\s*([0-9]{1,77})\\s*$')) COMMENT 'wei; 0 if computed_fee is not a whole number',
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, auth_id, session_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- stream_heartbeat, one row per event.
CREATE TABLE IF NOT EXISTS livepeer_analytics.stream_heartbeats
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    stream_id String,
    request_id String,
    orchestrator_address String COMMENT 'lower-case; may be a proxy wallet',
    orchestrator_url String,
    width UInt16 COMMENT 'pixels',
    height UInt16 COMMENT 'pixels',
    ingress_video_fps Float32 COMMENT 'frames per second',
    egress_video_fps Float32 COMMENT 'frames per second',
    ingress_audio_fps Float32 COMMENT 'frames per second',
    egress_audio_fps Float32 COMMENT 'frames per second',
    data_timestamp DateTime64(3, 'UTC') COMMENT 'time that the producer gives',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, stream_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- stream_stats, one row per event.
CREATE TABLE IF NOT EXISTS livepeer_analytics.stream_stats
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    stream_id String,
    request_id String,
    orchestrator_address String COMMENT 'lower-case; may be a proxy wallet',
    orchestrator_url String,
    running Nullable(UInt8) COMMENT '1 or 0',
    width UInt16 COMMENT 'pixels',
    height UInt16 COMMENT 'pixels',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, stream_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- network_capabilities, one row per orchestrator, hardware item and GPU.
CREATE TABLE IF NOT EXISTS livepeer_analytics.network_capabilities
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    source_event_id String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    local_address String COMMENT 'proxy wallet, lower-case',
    orch_uri String,
    gpu_id Nullable(String),
    gpu_name Nullable(String),
    gpu_memory_total Nullable(UInt64) COMMENT 'bytes',
    gpu_memory_free Nullable(UInt64) COMMENT 'bytes',
    gpu_major Nullable(Int32) COMMENT 'compute capability',
    gpu_minor Nullable(Int32) COMMENT 'compute capability',
    pipeline String,
    model_id String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    capability_name LowCardinality(String),
    capability_group LowCardinality(String),
    capability_catalog_version LowCardinality(String),
    runner_version Nullable(String),
    capacity Nullable(Int32),
    capacity_in_use Nullable(Int32),
    warm Nullable(Int32) COMMENT '1 or 0',
    price_per_unit Nullable(Int64) COMMENT 'wei for pixels_per_unit pixels',
    pixels_per_unit Nullable(Int64),
    orchestrator_version String,
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX orchestrator_address_index orchestrator_address TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (orchestrator_address, orch_uri, pipeline, model_id, ifNull(gpu_id, ''), capability_id, event_timestamp, raw_event_uid)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- network_capabilities, one row per orchestrator and advertised capability.
CREATE TABLE IF NOT EXISTS livepeer_analytics.network_capabilities_advertised
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    source_event_id String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    local_address String COMMENT 'proxy wallet, lower-case',
    orch_uri String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    capability_name LowCardinality(String),
    capability_group LowCardinality(String),
    capability_catalog_version LowCardinality(String),
    capacity Nullable(Int32),
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (orchestrator_address, capability_id, event_timestamp, raw_event_uid)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- network_capabilities, one row per orchestrator, capability and model.
CREATE TABLE IF NOT EXISTS livepeer_analytics.network_capabilities_model_constraints
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    source_event_id String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    local_address String COMMENT 'proxy wallet, lower-case',
    orch_uri String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    capability_name LowCardinality(String),
    capability_group LowCardinality(String),
    capability_catalog_version LowCardinality(String),
    model_id String,
    runner_version Nullable(String),
    capacity Nullable(Int32),
    capacity_in_use Nullable(Int32),
    warm Nullable(Int32) COMMENT '1 or 0',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (orchestrator_address, capability_id, model_id, event_timestamp, raw_event_uid)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- network_capabilities, one row per orchestrator and price entry.
CREATE TABLE IF NOT EXISTS livepeer_analytics.network_capabilities_prices
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    source_event_id String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    local_address String COMMENT 'proxy wallet, lower-case',
    orch_uri String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    capability_name LowCardinality(String),
    capability_group LowCardinality(String),
    capability_catalog_version LowCardinality(String),
    constraint_name Nullable(String),
    price_per_unit Nullable(Int64) COMMENT 'wei for pixels_per_unit pixels',
    pixels_per_unit Nullable(Int64),
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (orchestrator_address, capability_id, ifNull(constraint_name, ''), event_timestamp, raw_event_uid)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- ai_stream_events, one row per event.
CREATE TABLE IF NOT EXISTS livepeer_analytics.ai_stream_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    stream_id String,
    request_id String,
    gateway String,
    pipeline String,
    event_type LowCardinality(String),
    message String,
    capability String,
    orchestrator_address String COMMENT 'lower-case; may be a proxy wallet',
    orchestrator_url String,
    error_type LowCardinality(String),
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX stream_id_index trimBoth(stream_id) TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, stream_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- discovery_results, one row per discovered orchestrator.
CREATE TABLE IF NOT EXISTS livepeer_analytics.discovery_results
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    orchestrator_address String COMMENT 'lower-case; may be a proxy wallet',
    orchestrator_url String,
    latency_ms UInt32 COMMENT 'milliseconds',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, orchestrator_address, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 30 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- create_new_payment, one row per event.
CREATE TABLE IF NOT EXISTS livepeer_analytics.payment_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    request_id String,
    session_id String,
    manifest_id String,
    sender String,
    recipient String,
    orchestrator String,
    face_value String COMMENT 'as sent, such as 2402400000000000 WEI',
    price String COMMENT 'as sent, such as 1635.021 wei/pixel',
    num_tickets String,
    win_prob String,
    client_ip String,
    capability String,
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    face_value_wei UInt256 MATERIALIZED arrayMap(part -> multiIf(part[2] = '' AND lower(part[3]) IN ('', 'wei'), toUInt256OrZero(part[1]), lower(part[3]) != 'wei' AND length(part[1]) <= 59, toUInt256OrZero(part[1] || rightPad(part[2], 18, '0')), toUInt256(0)), [extractGroups(face_value, '(?i)^\\s*([0-9]{1,77})(?:\\.([0-9]{1,18}))?\\s*(wei|eth)?\\s*$')])[1] COMMENT 'wei, of one ticket; 0 if face_value is neither wei nor ETH',
    expected_fee_wei UInt256 MATERIALIZED if(face_value_wei <= toUInt256('1000000000000000000000000000000000000000000000000000000000') AND arrayMap(part -> toUInt64OrZero(part[1] || rightPad(substring(part[2], 1, 10), 10, '0')), [extractGroups(win_prob, '^\\s*([01])(?:\\.([0-9]{1,18}))?\\s*$')])[1] <= 10000000000, intDiv(face_value_wei * arrayMap(part -> toUInt64OrZero(part[1] || rightPad(substring(part[2], 1, 10), 10, '0')), [extractGroups(win_prob, '^\\s*([01])(?:\\.([0-9]{1,18}))?\\s*$')])[1] * toUInt32OrZero(trimBoth(num_tickets)), 10000000000), toUInt256(0)) COMMENT 'wei: what the tickets are worth on average, face value by chance by number',
    price_wei_per_pixel Nullable(Float64) MATERIALIZED toFloat64OrNull(extract(price, '^\\s*([0-9]+(?:\\.[0-9]+)?) wei/pixel$')) COMMENT 'null: price is not in wei/pixel',
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, recipient, orchestrator, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- ai_batch_request, one row per event. The plugin jobs declares it: facts and views of jobs read it.
CREATE TABLE IF NOT EXISTS livepeer_analytics.ai_batch_requests
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    request_id String,
    gateway String,
    subtype LowCardinality(String),
    orchestrator_url String COMMENT 'the last one tried; empty: none',
    success Nullable(UInt8) COMMENT '1 or 0',
    error Nullable(String),
    pipeline LowCardinality(String) COMMENT 'such as text-to-image',
    model_id String,
    tries Nullable(UInt16),
    duration_ms Nullable(Int64) COMMENT 'milliseconds',
    latency_score Nullable(Float64),
    price_per_unit Nullable(Float64) COMMENT 'wei for a unit',
    error_type LowCardinality(String) COMMENT 'bad_request, no_orchestrators, timeout or worker_error',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, request_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- ai_llm_request, one row per event. The plugin jobs declares it: facts and views of jobs read it.
CREATE TABLE IF NOT EXISTS livepeer_analytics.ai_llm_requests
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    request_id String,
    gateway String,
    subtype LowCardinality(String),
    orchestrator_url String COMMENT 'the last one tried; empty: none',
    success Nullable(UInt8) COMMENT '1 or 0',
    error Nullable(String),
    model String,
    finish_reason String COMMENT 'stop, length, error or unknown',
    prompt_tokens Nullable(Int64),
    completion_tokens Nullable(Int64),
    total_tokens Nullable(Int64),
    total_duration_ms Nullable(Int64) COMMENT 'milliseconds',
    ttft_ms Nullable(Int64) COMMENT 'milliseconds to the first token of a stream',
    tokens_per_second Nullable(Float64),
    latency_score Nullable(Float64),
    price_per_unit Nullable(Float64) COMMENT 'wei for a unit',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, request_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- job_gateway, one row per event. The plugin jobs declares it: facts and views of jobs read it.
CREATE TABLE IF NOT EXISTS livepeer_analytics.job_gateway_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    request_id String COMMENT 'the sender of the job chooses it; often empty',
    gateway String,
    capability String,
    subtype LowCardinality(String),
    orchestrator_address String COMMENT 'lower-case',
    orchestrator_url String,
    success Nullable(UInt8) COMMENT '1 or 0',
    error Nullable(String),
    attempt_index Nullable(Int32) COMMENT '0 for the first',
    selected Nullable(Int32),
    duration_ms Nullable(Int64) COMMENT 'milliseconds',
    latency_ms Nullable(Int64) COMMENT 'milliseconds',
    available_capacity Nullable(Int64),
    completed_at Nullable(DateTime64(3, 'UTC')),
    http_status Nullable(UInt16),
    streaming Nullable(UInt8) COMMENT '1 or 0',
    orch_url String,
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, request_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- job_orchestrator, one row per event. The plugin jobs declares it: facts and views of jobs read it.
CREATE TABLE IF NOT EXISTS livepeer_analytics.job_orchestrator_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    request_id String COMMENT 'the sender of the job chooses it; often empty',
    gateway String,
    capability String,
    subtype LowCardinality(String),
    orchestrator_address String COMMENT 'lower-case',
    orchestrator_url String,
    success Nullable(UInt8) COMMENT '1 or 0',
    error Nullable(String),
    worker_url String,
    reason String,
    sender String,
    http_status Nullable(UInt16) COMMENT '0: no answer',
    duration_ms Nullable(Int64) COMMENT 'milliseconds',
    timeout_ms Nullable(Int64) COMMENT 'milliseconds',
    price_per_unit Nullable(Int64) COMMENT 'wei a second, for pixels_per_unit',
    pixels_per_unit Nullable(Int64),
    charged_compute Nullable(UInt8) COMMENT '1 or 0',
    retryable Nullable(UInt8) COMMENT '1 or 0',
    has_payment Nullable(UInt8) COMMENT '1 or 0',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, request_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- job_payment, one row per event. The plugin jobs declares it: facts and views of jobs read it.
CREATE TABLE IF NOT EXISTS livepeer_analytics.job_payment_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    request_id String COMMENT 'the sender of the job chooses it; often empty',
    gateway String,
    capability String,
    subtype LowCardinality(String),
    orchestrator_address String COMMENT 'lower-case',
    orchestrator_url String,
    success Nullable(UInt8) COMMENT '1 or 0',
    error Nullable(String),
    stream_id String,
    sender String,
    balance String COMMENT 'wei, as sent',
    diff String COMMENT 'wei, as sent',
    min_balance String COMMENT 'wei, as sent',
    with_tickets Nullable(UInt8) COMMENT '1 or 0',
    on_error Nullable(UInt8) COMMENT '1 or 0',
    elapsed_seconds Nullable(Int64),
    price_per_unit Nullable(Int64) COMMENT 'wei a second',
    total_charged Nullable(Int64) COMMENT 'wei, as sent',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, capability, request_id, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- job_auth, one row per event. The plugin jobs declares it: facts and views of jobs read it.
CREATE TABLE IF NOT EXISTS livepeer_analytics.job_auth_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    request_id String COMMENT 'the sender of the job chooses it; often empty',
    gateway String,
    capability String,
    subtype LowCardinality(String),
    orchestrator_address String COMMENT 'lower-case',
    orchestrator_url String,
    success Nullable(UInt8) COMMENT '1 or 0',
    error Nullable(String),
    sender String,
    worker_url String,
    stream_id String,
    stream_name String,
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, capability, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- worker_lifecycle, one row per event. The plugin jobs declares it: facts and views of jobs read it.
CREATE TABLE IF NOT EXISTS livepeer_analytics.worker_lifecycle_events
(
    event_timestamp DateTime64(3, 'UTC'),
    raw_event_uid String,
    org LowCardinality(String) DEFAULT '',
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt8,
    request_id String COMMENT 'the sender of the job chooses it; often empty',
    gateway String,
    capability String,
    subtype LowCardinality(String),
    orchestrator_address String COMMENT 'lower-case',
    orchestrator_url String,
    success Nullable(UInt8) COMMENT '1 or 0',
    error Nullable(String),
    event_uuid String COMMENT 'the same in each repeat of an event',
    worker_url String,
    reason String,
    price_per_unit Nullable(Int64) COMMENT 'for price_scaling; no currency',
    price_scaling Nullable(Int64),
    models String COMMENT 'each once, joined by commas',
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, org, capability, orchestrator_address, event_timestamp)
TTL toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- Positions whose rows were taken back from a table, because another table refused rows of the same events: who completes
-- a block after a crash leaves them out.
CREATE TABLE IF NOT EXISTS livepeer_analytics.withdrawn_positions
(
    table_name LowCardinality(String),
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    withdrawn_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (table_name, source_topic, source_partition, source_offset)
TTL toDateTime(withdrawn_at, 'UTC') + INTERVAL 7 DAY;

-- Offsets of a topic at which there is no record to store, as the worker that read across them saw it: ends of
-- transactions, aborted records, compacted ones. A position in no other table and in no gap is missing.
CREATE TABLE IF NOT EXISTS livepeer_analytics.known_gaps
(
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    next_offset UInt64 COMMENT 'the offset after the gap, which begins at source_offset',
    reason LowCardinality(String) COMMENT 'no_record: nothing that a reader of committed records is given; ignored: a rule passes the records over',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ingestion_timestamp)
ORDER BY (source_topic, source_partition, source_offset)
TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 180 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- Records that rules pass over, one row for each reason, type and subtype of a range. Their offsets are in known_gaps.
CREATE TABLE IF NOT EXISTS livepeer_analytics.ignored_event_counts
(
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    org LowCardinality(String) DEFAULT '',
    event_type LowCardinality(String) COMMENT '64 characters at most; other beyond 200 kinds in a range',
    event_subtype LowCardinality(String),
    ignore_reason LowCardinality(String),
    records UInt64,
    bytes UInt64,
    first_offset UInt64 ALIAS source_offset COMMENT 'of the first of the records',
    date Date32 MATERIALIZED toDate32(ingestion_timestamp),
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(date)
ORDER BY (date, org, ignore_reason, event_type, event_subtype)
TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- Ignored records themselves, if QUALITY_IGNORED_STORE says so. A redacted payload holds no personal data.
CREATE TABLE IF NOT EXISTS livepeer_analytics.ignored_events
(
    event_id String,
    event_type LowCardinality(String),
    event_subtype LowCardinality(String),
    ignore_reason LowCardinality(String),
    event_timestamp Nullable(DateTime64(3, 'UTC')),
    org LowCardinality(String) DEFAULT '',
    gateway String,
    source_topic LowCardinality(String),
    source_partition UInt32,
    source_offset UInt64,
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
    payload_sha256 String COMMENT 'of the record as received',
    payload String COMMENT 'empty if it is too long, or cannot be redacted',
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ingestion_timestamp)
ORDER BY (org, ignore_reason, event_type, event_timestamp)
TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 30 DAY
SETTINGS
    allow_nullable_key = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- The same tables under the names of the system's last revisions. raw_json is looked up, not stored again.

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_streaming_events AS
SELECT *, event_timestamp, event_date, raw_event_uid, data
FROM livepeer_analytics.streaming_events;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_streaming_events_dlq AS
SELECT *, event_date
FROM livepeer_analytics.streaming_events_dlq;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_streaming_events_quarantine AS
SELECT *, event_date
FROM livepeer_analytics.streaming_events_quarantine;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_ai_stream_status AS
SELECT event.*, event.event_date, event.event_hour, raw.raw_json
FROM livepeer_analytics.ai_stream_status AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_stream_ingest_metrics AS
SELECT event.*, event.event_date, event.video_rtt_ms, event.audio_rtt_ms, raw.raw_json
FROM livepeer_analytics.stream_ingest_metrics AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_stream_trace_events AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.stream_trace_events AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_network_capabilities AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.network_capabilities AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_network_capabilities_advertised AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.network_capabilities_advertised AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_network_capabilities_model_constraints AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.network_capabilities_model_constraints AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_network_capabilities_prices AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.network_capabilities_prices AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_ai_stream_events AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.ai_stream_events AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_discovery_results AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.discovery_results AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_payment_events AS
SELECT event.*, event.event_date, event.face_value_wei, event.expected_fee_wei, event.price_wei_per_pixel, raw.raw_json
FROM livepeer_analytics.payment_events AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_signed_ticket_events AS
SELECT event.*, event.event_date, event.fee_wei, raw.raw_json
FROM livepeer_analytics.signed_ticket_events AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_stream_heartbeats AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.stream_heartbeats AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;

CREATE VIEW IF NOT EXISTS livepeer_analytics.raw_stream_stats AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.stream_stats AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;
