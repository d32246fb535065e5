-- severity: fail
-- covers: 12
-- meaning: The outcome of a job is that of the events that end it: success, failure, no orchestrator, a broken stream.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold
WITH (
    SELECT (
        least(min(toDate32(first_event_timestamp)), toDate32({start:DateTime('UTC')}) - 1),
        greatest(max(toDate32(last_event_timestamp)), toDate32({end:DateTime('UTC')}) + 1)
    )
    FROM livepeer_analytics.fact_jobs_versions
    WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
        AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')}
) AS days
SELECT org, job_id, outcome, ends.expected AS expected
FROM
(
    SELECT org, job_id, outcome
    FROM livepeer_analytics.fact_jobs
    WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
    AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')} AND first_event_timestamp >= now64(3) - INTERVAL 89 DAY
) AS fact
LEFT JOIN
(
    SELECT
        org,
        concat('ai_batch|', if(request = '', concat('|', uid), request)) AS job_id,
        multiIf(
            last.1 != 1 AND last.2 = 'no_orchestrators', 'no_orchestrator',
            last.1 != 1, 'failed',
            broken, 'stream_failed',
            'success') AS expected
    FROM
    (
        SELECT
            org, trimBoth(request_id) AS request, if(request = '', raw_event_uid, '') AS uid,
            argMax((ifNull(success, 0), error_type), (event_timestamp, raw_event_uid)) AS last
        FROM livepeer_analytics.ai_batch_requests
        WHERE subtype = 'ai_batch_request_completed' AND event_date BETWEEN days.1 AND days.2
        GROUP BY org, request, uid
    ) AS requests
    LEFT JOIN
    (
        SELECT
            org, trimBoth(request_id) AS request,
            argMax(finish_reason = 'error' OR trimBoth(ifNull(error, '')) != '', (event_timestamp, raw_event_uid)) AS broken
        FROM livepeer_analytics.ai_llm_requests
        WHERE subtype IN ('llm_request_completed', 'llm_stream_completed') AND request != '' AND event_date BETWEEN days.1 AND days.2
        GROUP BY org, request
    ) AS answers USING (org, request)
    UNION ALL
    SELECT
        org,
        concat('byoc|', if(request = '', concat('|', uid), request)) AS job_id,
        if(if(completed > 0, succeeded > 0, answered_well > 0), 'success', 'failed') AS expected
    FROM
    (
        SELECT
            org, trimBoth(request_id) AS request, if(request = '', raw_event_uid, '') AS uid,
            countIf(is_gateway) AS completed,
            countIf(is_gateway AND ok) AS succeeded,
            countIf(NOT is_gateway AND ok) AS answered_well
        FROM
        (
            SELECT org, request_id, raw_event_uid, 1 AS is_gateway, ifNull(success, 0) = 1 AS ok
            FROM livepeer_analytics.job_gateway_events
            WHERE subtype = 'job_gateway_completed' AND event_date BETWEEN days.1 AND days.2
            UNION ALL
            SELECT org, request_id, raw_event_uid, 0 AS is_gateway, ifNull(success, 0) = 1 AS ok
            FROM livepeer_analytics.job_orchestrator_events
            WHERE subtype = 'job_orchestrator_worker_result' AND trimBoth(request_id) != '' AND event_date BETWEEN days.1 AND days.2
        )
        GROUP BY org, request, uid
    )
) AS ends USING (org, job_id)
WHERE outcome != if(ends.expected = '', 'open', ends.expected)
SETTINGS join_use_nulls = 0
