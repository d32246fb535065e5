-- The end of the newest hour that has an event, as epoch seconds.
SELECT
    count() AS events,
    intDiv(toUnixTimestamp64Milli(toStartOfInterval(max(event_timestamp), INTERVAL 3600000 MILLISECOND)), 1000) + 3600 AS ended
FROM livepeer_analytics.streaming_events
WHERE event_timestamp >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND event_timestamp < {end:DateTime('UTC')}
