-- Every offer of these wallets: the times it was seen at since a time, and the last one before it.
SELECT
    local_address,
    orchestrator_address,
    orch_uri,
    pipeline,
    model_id,
    gpu_id,
    arrayConcat(
        if(min(snapshot) < {since:Int64}, [maxIf(snapshot, snapshot < {since:Int64})], []),
        arraySort(groupUniqArrayIf(snapshot, snapshot >= {since:Int64}))
    ) AS snapshots
FROM
(
    SELECT *, toUnixTimestamp64Milli(event_timestamp) AS snapshot
    FROM $database.network_capabilities
    WHERE orchestrator_address IN (SELECT wallet FROM format(Native, base64Decode('$wallets')))
        OR local_address IN (SELECT wallet FROM format(Native, base64Decode('$wallets')))
)
GROUP BY local_address, orchestrator_address, orch_uri, pipeline, model_id, gpu_id
