CREATE TABLE IF NOT EXISTS livepeer_analytics.$table
(
    $columns,
    event_date Date32 MATERIALIZED toDate32(event_timestamp),
    INDEX raw_event_uid_index raw_event_uid TYPE bloom_filter,
    INDEX source_offset_index source_offset TYPE minmax,
    INDEX ingestion_timestamp_index ingestion_timestamp TYPE minmax
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY ($order)
TTL $ttl
SETTINGS
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;
