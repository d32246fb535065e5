-- Who answered at these URLs, at snapshots in which nobody offered anything there.
WITH
    told AS
    (
        SELECT org, raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
        FROM $database.network_capabilities_advertised
        UNION ALL
        SELECT org, raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
        FROM $database.network_capabilities_model_constraints
        UNION ALL
        SELECT org, raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
        FROM $database.network_capabilities_prices
    ),
    named AS
    (
        SELECT org, orch_uri
        FROM (SELECT DISTINCT org, orch_uri FROM told)
        WHERE (org, $url_key) IN (SELECT org, name FROM format(Native, base64Decode('$urls')))
    )
SELECT
    org,
    local_address,
    orchestrator_address,
    orch_uri,
    arraySort(groupUniqArray(toUnixTimestamp64Milli(event_timestamp))) AS snapshots
FROM told
WHERE (org, orch_uri) IN named
    AND (org, raw_event_uid, orchestrator_address, orch_uri) NOT IN (
        SELECT org, raw_event_uid, orchestrator_address, orch_uri
        FROM $database.network_capabilities
        WHERE (org, orch_uri) IN named
    )
GROUP BY org, local_address, orchestrator_address, orch_uri
