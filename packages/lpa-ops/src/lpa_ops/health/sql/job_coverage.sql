-- Jobs that an event completed in the last hours, and how many of them have a fact.
SELECT
    job_type,
    count() AS completed,
    countIf((org, job_id) IN (SELECT org, job_id FROM livepeer_analytics.fact_jobs WHERE completed_at IS NOT NULL)) AS with_fact
FROM
(
    SELECT DISTINCT
        'ai_batch' AS job_type, org,
        concat('ai_batch|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
    FROM livepeer_analytics.ai_batch_requests
    WHERE subtype = 'ai_batch_request_completed' AND event_timestamp >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
        AND event_timestamp < fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    UNION ALL
    SELECT DISTINCT
        'byoc' AS job_type, org,
        concat('byoc|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
    FROM livepeer_analytics.job_gateway_events
    WHERE subtype = 'job_gateway_completed' AND event_timestamp >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
        AND event_timestamp < fromUnixTimestamp64Milli({now:Int64}, 'UTC')
)
GROUP BY job_type
HAVING completed >= {at_least:UInt64}
ORDER BY with_fact / completed
