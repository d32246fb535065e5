-- Sessions with a signal that names one of the wallets or URLs, or that names no wallet while the session is on one of
-- them: since the time given for it, or at one of the times given for it.
WITH
    names AS (SELECT org, is_url, name, toInt64(time) AS since FROM format(Native, base64Decode('$since'))),
    times AS (SELECT org, is_url, name, toInt64(time) AS time FROM format(Native, base64Decode('$at'))),
    wallets AS (SELECT org, name FROM names WHERE is_url = 0),
    urls AS
    (
        SELECT org, orch_uri
        FROM
        (
            SELECT DISTINCT org, orchestrator_url AS orch_uri FROM $database.ai_stream_status WHERE $near
            UNION DISTINCT
            SELECT DISTINCT org, orchestrator_url AS orch_uri FROM $database.stream_trace_events WHERE $near
            UNION DISTINCT
            SELECT DISTINCT org, orchestrator_url AS orch_uri FROM $database.ai_stream_events WHERE $near
        )
        WHERE (org, $url_key) IN (SELECT org, name FROM names WHERE is_url = 1)
    ),
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
        WHERE $near AND (wallet = '' OR (org, wallet) IN wallets OR (org, orch_uri) IN urls)
        UNION ALL
        SELECT
            org,
            stream_id,
            request_id,
            orchestrator_address AS wallet,
            orchestrator_url AS orch_uri,
            toUnixTimestamp64Milli(if(
                toUnixTimestamp64Milli(data_timestamp) > 0
                    AND abs(dateDiff('millisecond', event_timestamp, data_timestamp)) <= 600000,
                data_timestamp,
                event_timestamp))
        FROM $database.stream_trace_events
        WHERE $near AND (wallet = '' OR (org, wallet) IN wallets OR (org, orch_uri) IN urls)
        UNION ALL
        SELECT
            org,
            stream_id,
            request_id,
            if(lower(event_type) = 'error', '', orchestrator_address) AS wallet,
            if(lower(event_type) = 'error', '', orchestrator_url) AS orch_uri,
            toUnixTimestamp64Milli(event_timestamp)
        FROM $database.ai_stream_events
        WHERE $near AND (wallet = '' OR (org, wallet) IN wallets OR (org, orch_uri) IN urls)
    )
SELECT DISTINCT naming.org AS org, trimBoth(stream_id) AS stream, trimBoth(request_id) AS request
FROM
(
    SELECT org, stream_id, request_id, time, toUInt8(who.1) AS is_url, who.2 AS name
    FROM (SELECT *, arrayJoin([(0, wallet), (1, $url_key)]) AS who FROM signals)
    WHERE name != ''
) AS naming
INNER JOIN names ON names.org = naming.org AND names.is_url = naming.is_url AND names.name = naming.name
WHERE naming.time >= names.since OR (naming.org, naming.is_url, naming.name, naming.time) IN times
UNION DISTINCT
SELECT signals.org AS org, trimBoth(signals.stream_id) AS stream, trimBoth(signals.request_id) AS request
FROM signals
INNER JOIN
(
    SELECT DISTINCT
        session.org AS org,
        session.stream_id AS stream_id,
        session.request_id AS request_id,
        segment.orchestrator_address AS wallet
    FROM $database.fact_workflow_session_segments_versions AS segment
    INNER JOIN $database.fact_workflow_sessions_versions AS session
        ON session.org = segment.org AND session.workflow_session_id = segment.workflow_session_id
    WHERE (segment.org, segment.orchestrator_address) IN wallets
) AS attributed
    ON attributed.org = signals.org
    AND attributed.stream_id = signals.stream_id
    AND attributed.request_id = signals.request_id
INNER JOIN (SELECT org, name, since FROM names WHERE is_url = 0) AS named
    ON named.org = attributed.org AND named.name = attributed.wallet
WHERE signals.wallet = ''
    AND (signals.time >= named.since OR (signals.org, 0, attributed.wallet, signals.time) IN times)
