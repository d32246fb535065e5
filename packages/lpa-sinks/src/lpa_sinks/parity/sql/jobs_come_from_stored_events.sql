-- severity: fail
-- covers: 12
-- meaning: Every fact of a job has the events that it says it is made of. Typed rows expire before facts do: what is older
--   than 89 days is not asked, nor are events of days that are neither near the window nor within the span of its facts.
-- to do: see what took the rows away, then lpa materialize rebuild for the window
WITH (
    SELECT (
        least(min(toDate32(first_event_timestamp)), toDate32({start:DateTime('UTC')}) - 1),
        greatest(max(toDate32(last_event_timestamp)), toDate32({end:DateTime('UTC')}) + 1)
    )
    FROM livepeer_analytics.fact_jobs_versions
    WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
        AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')}
) AS days
SELECT org, job_id, event_count, events.events AS events
FROM
(
    SELECT org, job_id, event_count
    FROM livepeer_analytics.fact_jobs
    WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
    AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')} AND first_event_timestamp >= now64(3) - INTERVAL 89 DAY
) AS fact
LEFT JOIN
(
    SELECT org, job_id, uniqExact((source, raw_event_uid)) AS events
    FROM
    (
        SELECT
            org, 'ai_batch_requests' AS source, raw_event_uid,
            concat('ai_batch|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
        FROM livepeer_analytics.ai_batch_requests
        WHERE event_date BETWEEN days.1 AND days.2
        UNION ALL
        SELECT
            org, 'ai_llm_requests' AS source, raw_event_uid,
            concat('ai_batch|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
        FROM livepeer_analytics.ai_llm_requests
        WHERE event_date BETWEEN days.1 AND days.2
        UNION ALL
        SELECT
            org, 'job_gateway_events' AS source, raw_event_uid,
            concat('byoc|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
        FROM livepeer_analytics.job_gateway_events
        WHERE event_date BETWEEN days.1 AND days.2
        UNION ALL
        SELECT
            org, 'job_orchestrator_events' AS source, raw_event_uid,
            concat('byoc|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
        FROM livepeer_analytics.job_orchestrator_events
        WHERE event_date BETWEEN days.1 AND days.2
        UNION ALL
        SELECT
            org, 'job_payment_events' AS source, raw_event_uid,
            concat('byoc|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id))) AS job_id
        FROM livepeer_analytics.job_payment_events
        WHERE event_date BETWEEN days.1 AND days.2
    )
    WHERE (org, job_id) IN
    (
        SELECT org, job_id
        FROM livepeer_analytics.fact_jobs
        WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
        AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')}
    )
    GROUP BY org, job_id
) AS events USING (org, job_id)
WHERE events != event_count
SETTINGS join_use_nulls = 0
