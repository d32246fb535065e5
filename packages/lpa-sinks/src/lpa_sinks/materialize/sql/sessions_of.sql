SELECT
    org,
    trimBoth(stream_id) AS stream,
    trimBoth(request_id) AS request,
    toUnixTimestamp64Milli(min(event_timestamp)) AS earliest,
    toUnixTimestamp64Milli(max(event_timestamp)) AS latest,
    count() AS rows
FROM
(
    SELECT org, stream_id, request_id, event_timestamp FROM $database.ai_stream_status WHERE $rows
    UNION ALL
    SELECT org, stream_id, request_id, event_timestamp FROM $database.stream_trace_events WHERE $rows
    UNION ALL
    SELECT org, stream_id, request_id, event_timestamp FROM $database.ai_stream_events WHERE $rows
)
GROUP BY org, stream, request
ORDER BY earliest
