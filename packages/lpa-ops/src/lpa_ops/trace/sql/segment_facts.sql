SELECT toString(org) AS org, workflow_session_id, segment_index, toUnixTimestamp64Milli(segment_start_ts) AS start_ms, source_event_uid
FROM $database.fact_workflow_session_segments
WHERE workflow_session_id IN {ids:Array(String)}
ORDER BY org, workflow_session_id, segment_index
