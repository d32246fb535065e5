SELECT DISTINCT
    intDiv(toUnixTimestamp64Milli(toStartOfInterval(sample_ts, INTERVAL 60000 MILLISECOND)), 1000) AS minute
FROM $database.fact_stream_status_samples_versions FINAL
WHERE (org, workflow_session_id) IN (SELECT org, workflow_session_id FROM format(Native, base64Decode('$sessions')))
    AND version < {version:UInt64}
    AND $hours
