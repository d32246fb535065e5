SELECT
    org,
    workflow_session_id,
    session_start_ts,
    dateDiff('second', session_start_ts, coalesce(session_end_ts, session_start_ts)) AS seconds,
    multiIf(
        NOT known_stream, 'not counted', startup_success, 'success', startup_excused, 'excused', 'unexcused'
    ) AS outcome,
    gateway,
    orchestrator_address,
    ifNull(model_id, '') AS model,
    gpu_attribution_method AS attribution,
    attribution_status AS status,
    event_count AS signals,
    error_count AS errors,
    swap_count AS swaps
FROM livepeer_analytics.fact_workflow_sessions
WHERE ({of_all:UInt8} OR org = {org:String})
    AND ({sought:String} = ''
        OR workflow_session_id = {sought:String} OR stream_id = {sought:String} OR request_id = {sought:String}
        OR (orchestrator_address != '' AND orchestrator_address = lower({sought:String})))
ORDER BY session_start_ts DESC
LIMIT {limit:UInt32}
