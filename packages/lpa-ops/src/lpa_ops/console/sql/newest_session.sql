SELECT org, workflow_session_id
FROM livepeer_analytics.fact_workflow_sessions
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ($wanted)
ORDER BY session_start_ts DESC, workflow_session_id, org
LIMIT 1
