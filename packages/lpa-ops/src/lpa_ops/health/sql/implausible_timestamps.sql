SELECT
    count() AS records,
    countIf(place = 'rejected') AS rejects,
    anyIf(details, place = 'rejected') AS example
FROM
(
    SELECT 'other' AS place, '' AS details, ingestion_timestamp FROM livepeer_analytics.streaming_events
    UNION ALL
    SELECT if(failure_reason = {reason:String}, 'rejected', 'other'), failure_details, ingestion_timestamp
    FROM livepeer_analytics.streaming_events_dlq
)
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND ingestion_timestamp <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
