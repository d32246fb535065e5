-- The jobs that these rows are of. Without a request_id only the event that completes a job is one.
SELECT
    org,
    job_id,
    toUnixTimestamp64Milli(min(event_timestamp)) AS earliest,
    toUnixTimestamp64Milli(max(event_timestamp)) AS latest,
    count() AS rows
FROM
(
    SELECT org, $batch_job AS job_id, event_timestamp
    FROM $database.ai_batch_requests
    WHERE $rows AND (trimBoth(request_id) != '' OR subtype = 'ai_batch_request_completed')
    UNION ALL
    SELECT org, $batch_job AS job_id, event_timestamp
    FROM $database.ai_llm_requests
    WHERE $rows AND trimBoth(request_id) != ''
    UNION ALL
    SELECT org, $byoc_job AS job_id, event_timestamp
    FROM $database.job_gateway_events
    WHERE $rows AND (trimBoth(request_id) != '' OR subtype = 'job_gateway_completed')
    UNION ALL
    SELECT org, $byoc_job AS job_id, event_timestamp
    FROM $database.job_orchestrator_events
    WHERE $rows AND trimBoth(request_id) != ''
    UNION ALL
    SELECT org, $byoc_job AS job_id, event_timestamp
    FROM $database.job_payment_events
    WHERE $rows AND trimBoth(request_id) != ''
)
GROUP BY org, job_id
ORDER BY earliest
