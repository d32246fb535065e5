SELECT DISTINCT org, stream_id, request_id
FROM $database.fact_workflow_sessions
WHERE stream_id IN {streams:Array(String)}
