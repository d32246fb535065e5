-- severity: fail
-- covers: 1
-- meaning: Events, and among them statuses and traces, are stored in the window.
-- to do: see whether lpa ingest runs and reads the topic; choose a window with traffic
SELECT 'streaming_events' AS missing
WHERE (SELECT count() FROM livepeer_analytics.streaming_events WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}) = 0
UNION ALL
SELECT 'ai_stream_status'
WHERE (SELECT count() FROM livepeer_analytics.ai_stream_status WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}) = 0
UNION ALL
SELECT 'stream_trace_events'
WHERE (SELECT count() FROM livepeer_analytics.stream_trace_events WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}) = 0
