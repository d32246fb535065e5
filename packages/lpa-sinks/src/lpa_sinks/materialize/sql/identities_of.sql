-- Who answered at these URLs, at snapshots in which nobody offered anything there.
WITH
    told AS
    (
        SELECT raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
        FROM $database.network_capabilities_advertised
        UNION ALL
        SELECT raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
        FROM $database.network_capabilities_model_constraints
        UNION ALL
        SELECT raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
        FROM $database.network_capabilities_prices
    ),
    named AS
    (
        SELECT orch_uri
        FROM (SELECT DISTINCT orch_uri FROM told)
        WHERE $url_key IN (SELECT name FROM format(Native, base64Decode('$urls')))
    )
SELECT
    local_address,
    orchestrator_address,
    orch_uri,
    arraySort(groupUniqArray(toUnixTimestamp64Milli(event_timestamp))) AS snapshots
FROM told
WHERE orch_uri IN named
    AND (raw_event_uid, orchestrator_address, orch_uri) NOT IN (
        SELECT raw_event_uid, orchestrator_address, orch_uri
        FROM $database.network_capabilities
        WHERE orch_uri IN named
    )
GROUP BY local_address, orchestrator_address, orch_uri
