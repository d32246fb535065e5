-- severity: fail
-- covers: 7, 12
-- meaning: Every event that completes a job has a fact of that job, of its org.
-- to do: see whether lpa ingest or lpa materialize derives, then lpa materialize rebuild for the window
SELECT org, job_id, min(event_timestamp) AS completed
FROM
(
    SELECT
        org, event_timestamp,
        concat('ai_batch|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
    FROM livepeer_analytics.ai_batch_requests
    WHERE subtype = 'ai_batch_request_completed' AND event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        org, event_timestamp,
        concat('byoc|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
    FROM livepeer_analytics.job_gateway_events
    WHERE subtype = 'job_gateway_completed' AND event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
)
WHERE (org, job_id) NOT IN (SELECT org, job_id FROM livepeer_analytics.fact_jobs WHERE completed_at IS NOT NULL)
GROUP BY org, job_id
