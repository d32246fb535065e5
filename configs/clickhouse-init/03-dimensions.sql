-- What orchestrators can do, as snapshots in time, made from the typed tables of network_capabilities.
-- Stored and read as facts are: <name>_versions holds the versions, <name> shows the latest.
--
-- For "what is true now" read dim_orchestrator_capability_current; for what was true at an event, the snapshots. Never
-- mix both in one answer.

-- One row per event, orchestrator, pipeline, model, capability and GPU. From network_capabilities.
CREATE TABLE IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_snapshots_versions
(
    snapshot_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    source_event_uid String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    orchestrator_proxy_address String COMMENT 'proxy wallet, lower-case',
    orchestrator_url String,
    pipeline String,
    model_id String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    capability_name LowCardinality(String) COMMENT 'unknown: the producer gave none',
    capability_group LowCardinality(String) COMMENT 'unknown: the producer gave none',
    gpu_id Nullable(String),
    gpu_name Nullable(String),
    gpu_memory_total Nullable(UInt64) COMMENT 'bytes',
    gpu_major Nullable(Int32) COMMENT 'compute capability',
    gpu_minor Nullable(Int32) COMMENT 'compute capability',
    runner_version Nullable(String),
    region Nullable(String) COMMENT 'no source yet: always null',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    snapshot_date Date32 MATERIALIZED toDate32(snapshot_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(snapshot_ts)
ORDER BY (orchestrator_address, orchestrator_url, pipeline, model_id, capability_id, ifNull(gpu_id, ''), snapshot_ts, source_event_uid, org_key)
TTL toDateTime(least(greatest(snapshot_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 365 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_snapshots AS
SELECT
    snapshot_ts, org, source_event_uid, orchestrator_address, orchestrator_proxy_address, orchestrator_url, pipeline,
    model_id, capability_id, capability_name, capability_group, gpu_id, gpu_name, gpu_memory_total, gpu_major,
    gpu_minor, runner_version, region, ingestion_timestamp, version, snapshot_date
FROM livepeer_analytics.dim_orchestrator_capability_snapshots_versions FINAL;

-- One row per event, orchestrator and advertised capability. From network_capabilities_advertised.
CREATE TABLE IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_advertised_snapshots_versions
(
    snapshot_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    source_event_uid String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    orchestrator_proxy_address String COMMENT 'proxy wallet, lower-case',
    orchestrator_url String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    capability_name LowCardinality(String) COMMENT 'unknown: the producer gave none',
    capability_group LowCardinality(String) COMMENT 'unknown: the producer gave none',
    capability_catalog_version LowCardinality(String),
    capacity Nullable(Int32),
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    snapshot_date Date32 MATERIALIZED toDate32(snapshot_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(snapshot_ts)
ORDER BY (orchestrator_address, orchestrator_url, capability_id, snapshot_ts, source_event_uid, org_key)
TTL toDateTime(least(greatest(snapshot_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 365 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_advertised_snapshots AS
SELECT
    snapshot_ts, org, source_event_uid, orchestrator_address, orchestrator_proxy_address, orchestrator_url,
    capability_id, capability_name, capability_group, capability_catalog_version, capacity, ingestion_timestamp,
    version, snapshot_date
FROM livepeer_analytics.dim_orchestrator_capability_advertised_snapshots_versions FINAL;

-- One row per event, orchestrator, capability and model. From network_capabilities_model_constraints.
CREATE TABLE IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_model_constraints_versions
(
    snapshot_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    source_event_uid String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    orchestrator_proxy_address String COMMENT 'proxy wallet, lower-case',
    orchestrator_url String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    capability_name LowCardinality(String) COMMENT 'unknown: the producer gave none',
    capability_group LowCardinality(String) COMMENT 'unknown: the producer gave none',
    capability_catalog_version LowCardinality(String),
    model_id String,
    runner_version Nullable(String),
    capacity Nullable(Int32),
    capacity_in_use Nullable(Int32),
    warm Nullable(Int32) COMMENT '1 or 0',
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    snapshot_date Date32 MATERIALIZED toDate32(snapshot_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(snapshot_ts)
ORDER BY (orchestrator_address, orchestrator_url, capability_id, model_id, snapshot_ts, source_event_uid, org_key)
TTL toDateTime(least(greatest(snapshot_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 365 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_model_constraints AS
SELECT
    snapshot_ts, org, source_event_uid, orchestrator_address, orchestrator_proxy_address, orchestrator_url,
    capability_id, capability_name, capability_group, capability_catalog_version, model_id, runner_version, capacity,
    capacity_in_use, warm, ingestion_timestamp, version, snapshot_date
FROM livepeer_analytics.dim_orchestrator_capability_model_constraints_versions FINAL;

-- One row per event, orchestrator, capability and price entry. From network_capabilities_prices.
CREATE TABLE IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_prices_versions
(
    snapshot_ts DateTime64(3, 'UTC'),
    org LowCardinality(String) DEFAULT '',
    org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it',
    source_event_uid String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    orchestrator_proxy_address String COMMENT 'proxy wallet, lower-case',
    orchestrator_url String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    capability_name LowCardinality(String) COMMENT 'unknown: the producer gave none',
    capability_group LowCardinality(String) COMMENT 'unknown: the producer gave none',
    capability_catalog_version LowCardinality(String),
    constraint_name Nullable(String),
    price_per_unit Nullable(Int64) COMMENT 'wei for pixels_per_unit pixels',
    pixels_per_unit Nullable(Int64),
    ingestion_timestamp DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'latest batch time among the events that it is made of',
    version UInt64 COMMENT 'microseconds since 1970 on the server, when the input was read',
    is_deleted UInt8 COMMENT '1: a tombstone',
    snapshot_date Date32 MATERIALIZED toDate32(snapshot_ts)
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(snapshot_ts)
ORDER BY (orchestrator_address, orchestrator_url, capability_id, ifNull(constraint_name, ''), snapshot_ts, source_event_uid, org_key)
TTL toDateTime(least(greatest(snapshot_ts, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 365 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_prices AS
SELECT
    snapshot_ts, org, source_event_uid, orchestrator_address, orchestrator_proxy_address, orchestrator_url,
    capability_id, capability_name, capability_group, capability_catalog_version, constraint_name, price_per_unit,
    pixels_per_unit, ingestion_timestamp, version, snapshot_date
FROM livepeer_analytics.dim_orchestrator_capability_prices_versions FINAL;

-- One row per org, orchestrator, pipeline, model, capability and GPU: what was last said of it. From
-- dim_orchestrator_capability_snapshots.
CREATE VIEW IF NOT EXISTS livepeer_analytics.dim_orchestrator_capability_current
(
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    pipeline String,
    model_id String,
    capability_id Int32 COMMENT '-1: the producer gave none',
    gpu_id Nullable(String),
    org LowCardinality(String),
    orchestrator_proxy_address String COMMENT 'proxy wallet, lower-case',
    orchestrator_url String,
    capability_name LowCardinality(String),
    capability_group LowCardinality(String),
    gpu_name Nullable(String),
    gpu_memory_total Nullable(UInt64) COMMENT 'bytes',
    gpu_major Nullable(Int32) COMMENT 'compute capability',
    gpu_minor Nullable(Int32) COMMENT 'compute capability',
    runner_version Nullable(String),
    region Nullable(String) COMMENT 'no source yet: always null',
    latest_snapshot_ts DateTime64(3, 'UTC')
)
AS SELECT
    orchestrator_address, pipeline, model_id, capability_id, gpu_id, org,
    latest.1 AS orchestrator_proxy_address,
    latest.2 AS orchestrator_url,
    latest.3 AS capability_name,
    latest.4 AS capability_group,
    latest.5 AS gpu_name,
    latest.6 AS gpu_memory_total,
    latest.7 AS gpu_major,
    latest.8 AS gpu_minor,
    latest.9 AS runner_version,
    latest.10 AS region,
    latest_snapshot_ts
FROM
(
    SELECT
        orchestrator_address, pipeline, model_id, capability_id, gpu_id, org,
        argMax(
            (
                orchestrator_proxy_address, orchestrator_url, capability_name, capability_group, gpu_name,
                gpu_memory_total, gpu_major, gpu_minor, runner_version, region
            ),
            (snapshot_ts, source_event_uid)
        ) AS latest,
        max(snapshot_ts) AS latest_snapshot_ts
    FROM livepeer_analytics.dim_orchestrator_capability_snapshots
    GROUP BY orchestrator_address, pipeline, model_id, capability_id, gpu_id, org
);
