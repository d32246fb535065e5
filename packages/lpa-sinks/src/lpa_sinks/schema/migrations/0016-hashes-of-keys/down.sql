ALTER TABLE livepeer_analytics.streaming_events DROP COLUMN IF EXISTS dedup_key_hash;
