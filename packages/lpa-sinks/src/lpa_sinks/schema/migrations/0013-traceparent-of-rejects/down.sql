ALTER TABLE livepeer_analytics.streaming_events_dlq DROP COLUMN IF EXISTS traceparent;
ALTER TABLE livepeer_analytics.streaming_events_quarantine DROP COLUMN IF EXISTS traceparent;
