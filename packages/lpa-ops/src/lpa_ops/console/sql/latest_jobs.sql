SELECT
    org, job_id, job_type, ifNull(received_at, first_event_timestamp) AS started, outcome, gateway, model_id AS model,
    orchestrator_address, duration_ms, attempts, error
FROM livepeer_analytics.fact_jobs
WHERE {sought:String} = '' OR job_id = {sought:String} OR request_id = {sought:String}
    OR (orchestrator_address != '' AND orchestrator_address = lower({sought:String}))
ORDER BY first_event_timestamp DESC
LIMIT {limit:UInt32}
