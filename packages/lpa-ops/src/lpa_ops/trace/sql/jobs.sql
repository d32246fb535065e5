-- Jobs that have this id, or this request.
SELECT
    toString(org) AS org,
    job_id AS id,
    request_id,
    received_at AS received,
    completed_at AS completed,
    toString(outcome) AS outcome,
    orchestrator_address AS orchestrator,
    if(pipeline != '', pipeline, capability) AS pipeline,
    model_id AS model,
    error,
    toUnixTimestamp64Milli(first_event_timestamp) AS first_ms,
    toUnixTimestamp64Milli(last_event_timestamp) AS last_ms
FROM $database.fact_jobs
WHERE job_id IN (SELECT job_id FROM $database.fact_jobs_versions WHERE job_id = {id:String} OR request_id = {id:String})
ORDER BY first_ms, id, org
LIMIT {most:UInt32}
