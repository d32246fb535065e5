-- Jobs that name one of the wallets or URLs: a day before the time given for it or later, for a job is attributed as of one of
-- its events and may name somebody in another; or with an event at one of the times given.
WITH
    names AS (SELECT org, is_url, name, toInt64(time) AS since FROM format(Native, base64Decode('$since'))),
    times AS (SELECT DISTINCT fromUnixTimestamp64Milli(toInt64(time)) AS time FROM format(Native, base64Decode('$at'))),
    told AS
    (
        SELECT org, $batch_job AS job_id, '' AS wallet, orchestrator_url AS orch_uri, event_timestamp
        FROM $database.ai_batch_requests
        WHERE $near
        UNION ALL
        SELECT
            org, $byoc_job AS job_id, orchestrator_address AS wallet,
            if(trimBoth(orchestrator_url) = '', orch_url, orchestrator_url) AS orch_uri, event_timestamp
        FROM $database.job_gateway_events
        WHERE $near
        UNION ALL
        SELECT
            org, $byoc_job AS job_id, orchestrator_address AS wallet, orchestrator_url AS orch_uri, event_timestamp
        FROM $database.job_orchestrator_events
        WHERE $near
    )
SELECT DISTINCT naming.org AS org, naming.job_id AS job_id
FROM
(
    SELECT org, job_id, time, who.1 AS is_url, who.2 AS name
    FROM
    (
        SELECT
            org,
            job_id,
            toUnixTimestamp64Milli(event_timestamp) AS time,
            arrayJoin([(toUInt8(0), toString(wallet)), (toUInt8(1), toString($url_key))]) AS who
        FROM told
    )
    WHERE name != ''
) AS naming
INNER JOIN names ON names.org = naming.org AND names.is_url = naming.is_url AND names.name = naming.name
WHERE naming.time >= names.since - 86400000
    OR (naming.org, naming.job_id) IN (SELECT org, job_id FROM told WHERE event_timestamp IN (SELECT time FROM times))
