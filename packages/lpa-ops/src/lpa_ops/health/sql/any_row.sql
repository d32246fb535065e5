SELECT
    (SELECT count() FROM (SELECT 1 FROM livepeer_analytics.streaming_events LIMIT 1))
    + (SELECT count() FROM (SELECT 1 FROM livepeer_analytics.streaming_events_dlq LIMIT 1))
    + (SELECT count() FROM (SELECT 1 FROM livepeer_analytics.streaming_events_quarantine LIMIT 1)) AS rows
