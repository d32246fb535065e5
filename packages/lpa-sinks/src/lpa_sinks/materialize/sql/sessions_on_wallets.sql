-- Sessions with a signal that names one of the wallets, or that names none while the session is on one of them: since the
-- time given for the wallet, or at one of the times given for it.
WITH
    wallets AS (SELECT wallet, toInt64(time) AS since FROM format(Native, base64Decode('$since'))),
    times AS (SELECT wallet, toInt64(time) AS time FROM format(Native, base64Decode('$at'))),
    signals AS
    (
        SELECT stream_id, request_id, orchestrator_address AS wallet, toUnixTimestamp64Milli(event_timestamp) AS time
        FROM $database.ai_stream_status
        WHERE $near AND (orchestrator_address = '' OR orchestrator_address IN (SELECT wallet FROM wallets))
        UNION ALL
        SELECT
            stream_id,
            request_id,
            orchestrator_address,
            toUnixTimestamp64Milli(if(
                toUnixTimestamp64Milli(data_timestamp) > 0
                    AND abs(dateDiff('millisecond', event_timestamp, data_timestamp)) <= 600000,
                data_timestamp,
                event_timestamp))
        FROM $database.stream_trace_events
        WHERE $near AND (orchestrator_address = '' OR orchestrator_address IN (SELECT wallet FROM wallets))
        UNION ALL
        SELECT
            stream_id,
            request_id,
            if(lower(event_type) = 'error', '', orchestrator_address) AS named,
            toUnixTimestamp64Milli(event_timestamp)
        FROM $database.ai_stream_events
        WHERE $near AND (named = '' OR named IN (SELECT wallet FROM wallets))
    )
SELECT DISTINCT trimBoth(stream_id) AS stream, trimBoth(request_id) AS request
FROM signals
INNER JOIN wallets ON wallets.wallet = signals.wallet
WHERE signals.time >= wallets.since OR (signals.wallet, signals.time) IN times
UNION DISTINCT
SELECT trimBoth(signals.stream_id) AS stream, trimBoth(signals.request_id) AS request
FROM signals
INNER JOIN
(
    SELECT DISTINCT session.stream_id AS stream_id, session.request_id AS request_id, segment.orchestrator_address AS wallet
    FROM $database.fact_workflow_session_segments_versions AS segment
    INNER JOIN $database.fact_workflow_sessions_versions AS session
        ON session.workflow_session_id = segment.workflow_session_id
    WHERE segment.orchestrator_address IN (SELECT wallet FROM wallets)
) AS attributed ON attributed.stream_id = signals.stream_id AND attributed.request_id = signals.request_id
INNER JOIN wallets ON wallets.wallet = attributed.wallet
WHERE signals.wallet = '' AND (signals.time >= wallets.since OR (attributed.wallet, signals.time) IN times)
