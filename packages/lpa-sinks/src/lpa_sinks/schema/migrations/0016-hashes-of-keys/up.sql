-- Where many dedup keys are looked up, their hashes are read, not the keys: 4 bytes an event. Until the parts of before
-- have them, which ClickHouse writes beside its other work, they are computed from the keys: right, and slower.
ALTER TABLE livepeer_analytics.streaming_events
    ADD COLUMN IF NOT EXISTS dedup_key_hash UInt32 MATERIALIZED xxHash32(dedup_key) COMMENT 'shorter to read than dedup_key, where many keys are looked up' AFTER event_date;
ALTER TABLE livepeer_analytics.streaming_events MATERIALIZE COLUMN dedup_key_hash;
