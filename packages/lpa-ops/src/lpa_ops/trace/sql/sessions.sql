-- Sessions that have this id, or this stream or request.
SELECT
    toString(org) AS org,
    workflow_session_id AS id,
    stream_id,
    request_id,
    session_start_ts AS start,
    session_end_ts AS stop,
    multiIf(known_stream = 0, 'not counted', startup_success = 1, 'success', startup_excused = 1, 'excused', 'unexcused') AS outcome,
    orchestrator_address AS orchestrator,
    pipeline,
    ifNull(model_id, '') AS model,
    if(attribution_status = '', toString(gpu_attribution_method), concat(attribution_status, ' (', attribution_reason, ')')) AS attribution,
    event_count AS signals,
    toUnixTimestamp64Milli(first_event_timestamp) AS first_ms,
    toUnixTimestamp64Milli(last_event_timestamp) AS last_ms
FROM $database.fact_workflow_sessions
WHERE workflow_session_id IN
(
    SELECT workflow_session_id
    FROM $database.fact_workflow_sessions_versions
    WHERE workflow_session_id = {id:String} OR stream_id = {id:String} OR request_id = {id:String}
)
ORDER BY start, id, org
LIMIT {most:UInt32}
