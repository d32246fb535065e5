-- severity: fail
-- covers: 42, 64
-- meaning: No view of jobs has two rows of one key, and their hours begin on the hour.
-- to do: a join in the view multiplies rows: lpa schema check, then tell the developers
SELECT view, key, count() AS rows, max(off_the_hour) AS is_off_the_hour
FROM
(
    SELECT
        'v_api_job_demand' AS view, window_start != toStartOfHour(window_start) AS off_the_hour,
        toString((window_start, org, gateway, job_type, pipeline, model_id, orchestrator_address)) AS key
    FROM livepeer_analytics.v_api_job_demand
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        'v_api_llm_usage' AS view, window_start != toStartOfHour(window_start) AS off_the_hour,
        toString((window_start, org, model_id, orchestrator_address)) AS key
    FROM livepeer_analytics.v_api_llm_usage
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        'v_api_job_auth' AS view, window_start != toStartOfHour(window_start) AS off_the_hour,
        toString((window_start, org, capability, subtype)) AS key
    FROM livepeer_analytics.v_api_job_auth
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        'v_api_job_payments' AS view, window_start != toStartOfHour(window_start) AS off_the_hour,
        toString((window_start, org, capability, subtype)) AS key
    FROM livepeer_analytics.v_api_job_payments
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        'v_api_byoc_workers' AS view, 0 AS off_the_hour,
        toString((org, orchestrator_address, capability, worker_url)) AS key
    FROM livepeer_analytics.v_api_byoc_workers
    UNION ALL
    SELECT
        'v_api_ticket_cost' AS view, window_start != toStartOfHour(window_start) AS off_the_hour,
        toString((window_start, org, auth_id, app, pipeline, model_id, orchestrator_url)) AS key
    FROM livepeer_analytics.v_api_ticket_cost
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
)
GROUP BY view, key
HAVING rows > 1 OR is_off_the_hour
