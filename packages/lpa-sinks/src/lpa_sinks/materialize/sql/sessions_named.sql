-- Sessions with a signal that names one of the wallets or URLs, or that names no wallet while the session is on one of
-- them: since the time given for it, or at one of the times given for it.
WITH
    names AS (SELECT is_url, name, toInt64(time) AS since FROM format(Native, base64Decode('$since'))),
    times AS (SELECT is_url, name, toInt64(time) AS time FROM format(Native, base64Decode('$at'))),
    wallets AS (SELECT name FROM names WHERE is_url = 0),
    urls AS
    (
        SELECT orch_uri
        FROM
        (
            SELECT DISTINCT orchestrator_url AS orch_uri FROM $database.ai_stream_status WHERE $near
            UNION DISTINCT
            SELECT DISTINCT orchestrator_url AS orch_uri FROM $database.stream_trace_events WHERE $near
            UNION DISTINCT
            SELECT DISTINCT orchestrator_url AS orch_uri FROM $database.ai_stream_events WHERE $near
        )
        WHERE $url_key IN (SELECT name FROM names WHERE is_url = 1)
    ),
    signals AS
    (
        SELECT
            stream_id,
            request_id,
            orchestrator_address AS wallet,
            orchestrator_url AS orch_uri,
            toUnixTimestamp64Milli(event_timestamp) AS time
        FROM $database.ai_stream_status
        WHERE $near AND (wallet = '' OR wallet IN wallets OR orch_uri IN urls)
        UNION ALL
        SELECT
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
        WHERE $near AND (wallet = '' OR wallet IN wallets OR orch_uri IN urls)
        UNION ALL
        SELECT
            stream_id,
            request_id,
            if(lower(event_type) = 'error', '', orchestrator_address) AS wallet,
            if(lower(event_type) = 'error', '', orchestrator_url) AS orch_uri,
            toUnixTimestamp64Milli(event_timestamp)
        FROM $database.ai_stream_events
        WHERE $near AND (wallet = '' OR wallet IN wallets OR orch_uri IN urls)
    )
SELECT DISTINCT trimBoth(stream_id) AS stream, trimBoth(request_id) AS request
FROM
(
    SELECT stream_id, request_id, time, toUInt8(who.1) AS is_url, who.2 AS name
    FROM (SELECT *, arrayJoin([(0, wallet), (1, $url_key)]) AS who FROM signals)
    WHERE name != ''
) AS naming
INNER JOIN names ON names.is_url = naming.is_url AND names.name = naming.name
WHERE naming.time >= names.since OR (naming.is_url, naming.name, naming.time) IN times
UNION DISTINCT
SELECT trimBoth(signals.stream_id) AS stream, trimBoth(signals.request_id) AS request
FROM signals
INNER JOIN
(
    SELECT DISTINCT session.stream_id AS stream_id, session.request_id AS request_id, segment.orchestrator_address AS wallet
    FROM $database.fact_workflow_session_segments_versions AS segment
    INNER JOIN $database.fact_workflow_sessions_versions AS session
        ON session.workflow_session_id = segment.workflow_session_id
    WHERE segment.orchestrator_address IN wallets
) AS attributed ON attributed.stream_id = signals.stream_id AND attributed.request_id = signals.request_id
INNER JOIN (SELECT name, since FROM names WHERE is_url = 0) AS named ON named.name = attributed.wallet
WHERE signals.wallet = '' AND (signals.time >= named.since OR (0, attributed.wallet, signals.time) IN times)
