-- Every offer of these wallets and URLs: when it was first seen, the last time before a time, and every time since.
WITH urls AS
(
    SELECT orch_uri
    FROM (SELECT DISTINCT orch_uri FROM $database.network_capabilities)
    WHERE $url_key IN (SELECT name FROM format(Native, base64Decode('$urls')))
)
SELECT
    local_address,
    orchestrator_address,
    orch_uri,
    pipeline,
    model_id,
    gpu_id,
    arrayConcat(
        if(min(snapshot) < {since:Int64}, [min(snapshot), maxIf(snapshot, snapshot < {since:Int64})], []),
        arraySort(groupUniqArrayIf(snapshot, snapshot >= {since:Int64}))
    ) AS snapshots
FROM
(
    SELECT *, toUnixTimestamp64Milli(event_timestamp) AS snapshot
    FROM $database.network_capabilities
    WHERE orchestrator_address IN (SELECT name FROM format(Native, base64Decode('$wallets')))
        OR local_address IN (SELECT name FROM format(Native, base64Decode('$wallets')))
        OR orch_uri IN urls
)
GROUP BY local_address, orchestrator_address, orch_uri, pipeline, model_id, gpu_id
