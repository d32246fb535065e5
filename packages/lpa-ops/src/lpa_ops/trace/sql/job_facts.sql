SELECT toString(org) AS org, job_id, received_at, completed_at
FROM $database.fact_jobs
WHERE job_id IN {ids:Array(String)}
