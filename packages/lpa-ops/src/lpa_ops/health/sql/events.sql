SELECT count() AS events
FROM livepeer_analytics.streaming_events
WHERE event_timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND event_timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
