-- Newer producers say in ai_stream_events which orchestrator a stream has, and what kind an error is of.
ALTER TABLE livepeer_analytics.ai_stream_events
    ADD COLUMN IF NOT EXISTS orchestrator_address String COMMENT 'lower-case; may be a proxy wallet' AFTER capability,
    ADD COLUMN IF NOT EXISTS orchestrator_url String AFTER orchestrator_address,
    ADD COLUMN IF NOT EXISTS error_type LowCardinality(String) AFTER orchestrator_url;

CREATE OR REPLACE VIEW livepeer_analytics.raw_ai_stream_events AS
SELECT event.*, event.event_date, raw.raw_json
FROM livepeer_analytics.ai_stream_events AS event
ANY LEFT JOIN livepeer_analytics.streaming_events AS raw
    ON raw.dedup_key = event.raw_event_uid AND raw.source_topic = event.source_topic
    AND raw.source_partition = event.source_partition AND raw.source_offset = event.source_offset;
