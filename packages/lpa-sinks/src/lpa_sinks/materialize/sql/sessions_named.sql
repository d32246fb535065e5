-- Sessions with a signal that names one of the wallets or URLs, or that names no wallet while the session is on one of
-- them: since the time given for it, or at one of the times given for it. Each table of signals is read once.
WITH
    names AS (SELECT org, is_url, name, toInt64(time) AS since FROM format(Native, base64Decode('$since'))),
    times AS (SELECT org, is_url, name, toInt64(time) AS time FROM format(Native, base64Decode('$at'))),
    signals AS
    (
        SELECT
            org,
            stream_id,
            request_id,
            orchestrator_address AS wallet,
            orchestrator_url AS orch_uri,
            toUnixTimestamp64Milli(event_timestamp) AS time
        FROM $database.ai_stream_status
        WHERE $near
        UNION ALL
        SELECT
            org,
            stream_id,
            request_id,
            orchestrator_address,
            orchestrator_url,
            toUnixTimestamp64Milli(if(
                toUnixTimestamp64Milli(data_timestamp) > 0
                    AND abs(dateDiff('millisecond', event_timestamp, data_timestamp)) <= 600000,
                data_timestamp,
                event_timestamp))
        FROM $database.stream_trace_events
        WHERE $near
        UNION ALL
        SELECT
            org,
            stream_id,
            request_id,
            if(lower(event_type) = 'error', '', orchestrator_address),
            if(lower(event_type) = 'error', '', orchestrator_url),
            toUnixTimestamp64Milli(event_timestamp)
        FROM $database.ai_stream_events
        WHERE $near
    ),
    attributed AS
    (
        SELECT
            session.org AS org,
            session.stream_id AS stream_id,
            session.request_id AS request_id,
            groupUniqArray(segment.wallet) AS wallets
        FROM $database.fact_workflow_sessions_versions AS session
        INNER JOIN
        (
            SELECT DISTINCT org, workflow_session_id, orchestrator_address AS wallet
            FROM $database.fact_workflow_session_segments_versions
            WHERE (org, wallet) IN (SELECT org, name FROM names WHERE is_url = 0)
        ) AS segment
            ON segment.org = session.org AND segment.workflow_session_id = session.workflow_session_id
        GROUP BY org, stream_id, request_id
    )
SELECT DISTINCT naming.org AS org, trimBoth(stream_id) AS stream, trimBoth(request_id) AS request
FROM
(
    SELECT org, stream_id, request_id, time, who.1 AS is_url, who.2 AS name
    FROM
    (
        SELECT
            signals.org AS org,
            signals.stream_id AS stream_id,
            signals.request_id AS request_id,
            signals.time AS time,
            arrayJoin(arrayConcat(
                [(toUInt8(0), toString(signals.wallet)), (toUInt8(1), toString($url_key))],
                if(signals.wallet = '', arrayMap(wallet -> (toUInt8(0), toString(wallet)), attributed.wallets), [])
            )) AS who
        FROM signals
        LEFT JOIN attributed
            ON attributed.org = signals.org
            AND attributed.stream_id = signals.stream_id
            AND attributed.request_id = signals.request_id
    )
    WHERE who.2 != ''
) AS naming
INNER JOIN names ON names.org = naming.org AND names.is_url = naming.is_url AND names.name = naming.name
WHERE naming.time >= names.since OR (naming.org, naming.is_url, naming.name, naming.time) IN times
