-- What replays did: a row for each run, and a row for each record that a run was about.
-- Both are read with FINAL: a later row of the same key replaces the earlier one.

-- One row per replay. Everything that decided which records it took, what it did to them, and how many.
CREATE TABLE IF NOT EXISTS livepeer_analytics.replay_runs
(
    replay_id String,
    state LowCardinality(String) COMMENT 'staged, delivered, verified or failed (its verification)',
    started_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC'),
    started_by String COMMENT 'user and machine',
    version String COMMENT 'of lpa-replay',
    source String,
    target String,
    clock LowCardinality(String) COMMENT 'event or ingestion: which time the window is about',
    window_start Nullable(DateTime64(3, 'UTC')) COMMENT 'inclusive; null: everything',
    window_end Nullable(DateTime64(3, 'UTC')) COMMENT 'exclusive',
    filters String COMMENT 'JSON',
    bounds String COMMENT 'JSON: where reading ended',
    fix_sha256 String COMMENT 'of the fix file; empty: none',
    transforms String COMMENT 'JSON: those of plugins, with their versions',
    max_attempts UInt16,
    forced UInt8 COMMENT '1: sent also what was stored already',
    records_read UInt64,
    records_selected UInt64 COMMENT 'in the window and passed by the filters',
    records_published UInt64,
    records_skipped UInt64,
    records_unrecoverable UInt64,
    records_exhausted UInt64,
    first_position String COMMENT 'of a published record: topic[partition]@offset',
    last_position String,
    verification String COMMENT 'JSON: the figures of the last verification'
)
ENGINE = ReplacingMergeTree(updated_at)
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, replay_id)
TTL toDateTime(started_at) + INTERVAL 365 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

-- One row per record that a replay selected, and what became of it.
CREATE TABLE IF NOT EXISTS livepeer_analytics.replay_outcomes
(
    replay_id String,
    number UInt64 COMMENT 'of the record in the run, from 0',
    source_topic LowCardinality(String) COMMENT 'where the record was first read from, no matter how often it was replayed since',
    source_partition UInt32,
    source_offset UInt64,
    source_record_timestamp DateTime64(3, 'UTC'),
    event_timestamp Nullable(DateTime64(3, 'UTC')),
    event_type LowCardinality(String),
    failure_class LowCardinality(String) COMMENT 'before the replay; empty: it had not failed',
    failure_reason LowCardinality(String),
    outcome LowCardinality(String) COMMENT 'of the run: published, skipped, unrecoverable or exhausted',
    why String COMMENT 'for all but published',
    forecast LowCardinality(String) COMMENT 'for published: passes, or the reason why it would fail again',
    dedup_key String COMMENT 'as the record was sent; empty if it has none',
    attempt UInt16 COMMENT 'number of this replay of the record, from 1',
    typed_rows UInt32 COMMENT 'that it makes if it is stored',
    result LowCardinality(String) COMMENT 'of the verification: recovered, failed_again, skipped, unrecoverable or missing',
    result_reason String,
    recorded_at DateTime64(3, 'UTC'),
    INDEX source_offset_index source_offset TYPE minmax
)
ENGINE = ReplacingMergeTree(recorded_at)
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (replay_id, number)
TTL toDateTime(recorded_at) + INTERVAL 90 DAY
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;
