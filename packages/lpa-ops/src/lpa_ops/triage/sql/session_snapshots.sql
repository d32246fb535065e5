-- What the wallets that the session names offered: the last snapshot before its end, and the first after its start.
WITH
    (SELECT (trimBoth(stream_id), trimBoth(request_id), session_start_ts, coalesce(session_end_ts, session_start_ts))
     FROM livepeer_analytics.fact_workflow_sessions WHERE workflow_session_id = {session:String}) AS ids,
    named AS
    (
        SELECT DISTINCT orchestrator_address AS wallet
        FROM
        (
            SELECT orchestrator_address FROM livepeer_analytics.ai_stream_status
            WHERE trimBoth(stream_id) = ids.1 AND trimBoth(request_id) = ids.2
            UNION ALL
            SELECT orchestrator_address FROM livepeer_analytics.stream_trace_events
            WHERE trimBoth(stream_id) = ids.1 AND trimBoth(request_id) = ids.2
        )
        WHERE wallet != ''
    ),
    offers AS
    (
        SELECT
            arrayJoin(arrayDistinct([local_address, network_capabilities.orchestrator_address])) AS wallet,
            orchestrator_address AS canonical,
            model_id AS model,
            ifNull(gpu_id, '') AS gpu,
            event_timestamp AS snapshot
        FROM livepeer_analytics.network_capabilities
    )
SELECT
    named.wallet AS named_wallet,
    offers.canonical AS orchestrator,
    offers.model AS model,
    offers.gpu AS gpu,
    countIf(offers.canonical != '') AS snapshots,
    maxIf(offers.snapshot, offers.snapshot <= ids.4) AS last_before_its_end,
    minIf(offers.snapshot, offers.snapshot > ids.3) AS first_after_its_start
FROM named
LEFT JOIN offers ON offers.wallet = named.wallet
GROUP BY named.wallet, offers.canonical, offers.model, offers.gpu
ORDER BY named_wallet, snapshots DESC
LIMIT 30
