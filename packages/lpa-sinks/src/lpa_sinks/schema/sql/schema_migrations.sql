CREATE TABLE IF NOT EXISTS $database.schema_migrations
(
    number UInt32,
    name String,
    checksum String COMMENT 'SHA-256 of up.sql and down.sql',
    state LowCardinality(String) COMMENT 'begun, applied, rolled back, or baseline: the database was made with it',
    previous_views Map(String, String) COMMENT 'name to definition before; empty for one that was not there',
    changed_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = MergeTree
ORDER BY (number, changed_at)
