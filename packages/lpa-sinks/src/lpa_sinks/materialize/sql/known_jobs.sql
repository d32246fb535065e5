SELECT
    org,
    job_id,
    toUnixTimestamp64Milli(first_event_timestamp) AS earliest,
    toUnixTimestamp64Milli(last_event_timestamp) AS latest,
    event_count AS rows
FROM $database.fact_jobs_versions FINAL
WHERE (org, job_id) IN (SELECT org, job_id FROM format(Native, base64Decode('$jobs')))
