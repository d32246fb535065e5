-- What the wallets and URLs that the session names offered: the last snapshot before its end, and the first after its start.
WITH
    (SELECT (trimBoth(stream_id), trimBoth(request_id), session_start_ts, coalesce(session_end_ts, session_start_ts))
     FROM livepeer_analytics.fact_workflow_sessions
     WHERE org = {org:String} AND workflow_session_id = {session:String}) AS ids,
    named AS
    (
        SELECT DISTINCT arrayJoin([orchestrator_address, url]) AS name
        FROM
        (
            SELECT orchestrator_address, trimBoth(orchestrator_url) AS sent, lower(sent) AS lowered,
                substring(lowered, 1, length(lowered) - endsWith(lowered, '/')) AS url
            FROM
            (
                SELECT orchestrator_address, orchestrator_url FROM livepeer_analytics.ai_stream_status
                WHERE org = {org:String} AND trimBoth(stream_id) = ids.1 AND trimBoth(request_id) = ids.2
                UNION ALL
                SELECT orchestrator_address, orchestrator_url FROM livepeer_analytics.stream_trace_events
                WHERE org = {org:String} AND trimBoth(stream_id) = ids.1 AND trimBoth(request_id) = ids.2
            )
        )
        WHERE name != ''
    ),
    offers AS
    (
        SELECT
            lower(trimBoth(orch_uri)) AS lowered,
            substring(lowered, 1, length(lowered) - endsWith(lowered, '/')) AS url,
            arrayJoin(arrayDistinct([local_address, network_capabilities.orchestrator_address, url])) AS name,
            orchestrator_address AS canonical,
            model_id AS model,
            ifNull(gpu_id, '') AS gpu,
            event_timestamp AS snapshot
        FROM livepeer_analytics.network_capabilities
        WHERE org = {org:String}
    )
SELECT
    named.name AS named,
    offers.canonical AS orchestrator,
    offers.model AS model,
    offers.gpu AS gpu,
    countIf(offers.canonical != '') AS snapshots,
    maxIf(offers.snapshot, offers.snapshot <= ids.4) AS last_before_its_end,
    minIf(offers.snapshot, offers.snapshot > ids.3) AS first_after_its_start
FROM named
LEFT JOIN offers ON offers.name = named.name
GROUP BY named.name, offers.canonical, offers.model, offers.gpu
ORDER BY named, snapshots DESC
LIMIT 30
