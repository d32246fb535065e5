SELECT
    org,
    workflow_session_id,
    toUnixTimestamp64Milli(first_event_timestamp) AS earliest,
    toUnixTimestamp64Milli(last_event_timestamp) AS latest,
    event_count AS rows,
    toUnixTimestamp64Milli(session_start_ts) AS started,
    toUnixTimestamp64Milli(coalesce(session_end_ts, session_start_ts)) AS ended
FROM $database.fact_workflow_sessions_versions FINAL
WHERE (org, workflow_session_id) IN (SELECT org, workflow_session_id FROM format(Native, base64Decode('$sessions')))
