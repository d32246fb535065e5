-- A reject keeps the header traceparent of its record.
ALTER TABLE livepeer_analytics.streaming_events_dlq
    ADD COLUMN IF NOT EXISTS traceparent String COMMENT 'header of the record: which trace of its producer it belongs to' AFTER org;
ALTER TABLE livepeer_analytics.streaming_events_quarantine
    ADD COLUMN IF NOT EXISTS traceparent String COMMENT 'header of the record: which trace of its producer it belongs to' AFTER org;

CREATE OR REPLACE VIEW livepeer_analytics.raw_streaming_events_dlq AS
SELECT *, event_date
FROM livepeer_analytics.streaming_events_dlq;

CREATE OR REPLACE VIEW livepeer_analytics.raw_streaming_events_quarantine AS
SELECT *, event_date
FROM livepeer_analytics.streaming_events_quarantine;
