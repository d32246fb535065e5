ALTER TABLE livepeer_analytics.ai_stream_events
    DROP COLUMN IF EXISTS orchestrator_address, DROP COLUMN IF EXISTS orchestrator_url, DROP COLUMN IF EXISTS error_type;
