-- Every snapshot of these wallets since a time, and of each offer the last one before it.
WITH
    wallets AS (SELECT wallet FROM format(Native, base64Decode('$wallets'))),
    offers AS
    (
        SELECT
            local_address,
            orchestrator_address,
            orch_uri,
            pipeline,
            model_id,
            gpu_id,
            source_event_id,
            toUnixTimestamp64Milli(event_timestamp) AS snapshot
        FROM $database.network_capabilities
        WHERE orchestrator_address IN wallets OR local_address IN wallets
    )
SELECT * FROM offers WHERE snapshot >= {since:Int64}
UNION ALL
SELECT local_address, orchestrator_address, orch_uri, pipeline, model_id, gpu_id, min(source_event_id), snapshot
FROM offers
WHERE (local_address, orchestrator_address, orch_uri, pipeline, model_id, ifNull(gpu_id, ''), snapshot) IN (
    SELECT
        local_address, orchestrator_address, orch_uri, pipeline, model_id, ifNull(gpu_id, ''), max(snapshot)
    FROM offers
    WHERE snapshot < {since:Int64}
    GROUP BY local_address, orchestrator_address, orch_uri, pipeline, model_id, ifNull(gpu_id, '')
)
GROUP BY local_address, orchestrator_address, orch_uri, pipeline, model_id, gpu_id, snapshot
