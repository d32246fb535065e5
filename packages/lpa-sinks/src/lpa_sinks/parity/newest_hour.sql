-- The end of the newest hour that has an event, as epoch seconds.
SELECT count() AS events, toUnixTimestamp(toStartOfHour(max(event_timestamp)) + INTERVAL 1 HOUR) AS ended
FROM livepeer_analytics.streaming_events
WHERE event_timestamp >= '1970-01-02' AND event_timestamp < {end:DateTime('UTC')}
