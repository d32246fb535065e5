-- Where many dedup keys are looked up, their hashes are read, not the keys. Parts that were written before have no such
-- column: it is computed from their keys, which is right and as slow as before.
--     ALTER TABLE livepeer_analytics.streaming_events MATERIALIZE COLUMN dedup_key_hash
-- writes it into them: 4 bytes an event.
ALTER TABLE livepeer_analytics.streaming_events
    ADD COLUMN IF NOT EXISTS dedup_key_hash UInt32 MATERIALIZED xxHash32(dedup_key) COMMENT 'shorter to read than dedup_key, where many keys are looked up' AFTER event_date;
