-- BYOC jobs whose worker may be one that registered by these rows.
WITH registered AS
(
    SELECT org, capability, min(event_timestamp) AS since, max(event_timestamp) + INTERVAL 30 DAY AS until
    FROM $database.worker_lifecycle_events
    WHERE $rows AND subtype = 'worker_registered'
    GROUP BY org, capability
)
SELECT DISTINCT told.org AS org, told.job_id AS job_id
FROM
(
    SELECT org, $byoc_job AS job_id, capability, event_timestamp
    FROM $database.job_gateway_events
    WHERE event_date >= toDate32((SELECT min(since) FROM registered))
        AND (org, capability) IN (SELECT org, capability FROM registered)
    UNION ALL
    SELECT org, $byoc_job AS job_id, capability, event_timestamp
    FROM $database.job_orchestrator_events
    WHERE event_date >= toDate32((SELECT min(since) FROM registered))
        AND (org, capability) IN (SELECT org, capability FROM registered)
) AS told
INNER JOIN registered ON registered.org = told.org AND registered.capability = told.capability
WHERE told.event_timestamp BETWEEN registered.since AND registered.until
