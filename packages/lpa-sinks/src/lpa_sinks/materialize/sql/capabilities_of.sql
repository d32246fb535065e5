-- Every offer of these wallets and URLs: when it was first seen, the last time before a time, and every time since.
WITH
    wallets AS (SELECT org, name FROM format(Native, base64Decode('$wallets'))),
    urls AS
    (
        SELECT org, orch_uri
        FROM (SELECT DISTINCT org, orch_uri FROM $database.network_capabilities)
        WHERE (org, $url_key) IN (SELECT org, name FROM format(Native, base64Decode('$urls')))
    )
SELECT
    org,
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
    WHERE (org, orchestrator_address) IN wallets OR (org, local_address) IN wallets OR (org, orch_uri) IN urls
)
GROUP BY org, local_address, orchestrator_address, orch_uri, pipeline, model_id, gpu_id
