-- The same of the snapshots that came by these rows.
SELECT
    org,
    local_address,
    orchestrator_address,
    orch_uri,
    arraySort(groupUniqArray(toUnixTimestamp64Milli(event_timestamp))) AS snapshots
FROM
(
    SELECT org, raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
    FROM $database.network_capabilities_advertised
    WHERE $rows
    UNION ALL
    SELECT org, raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
    FROM $database.network_capabilities_model_constraints
    WHERE $rows
    UNION ALL
    SELECT org, raw_event_uid, local_address, orchestrator_address, orch_uri, event_timestamp
    FROM $database.network_capabilities_prices
    WHERE $rows
)
WHERE (org, raw_event_uid, orchestrator_address, orch_uri) NOT IN (
    SELECT org, raw_event_uid, orchestrator_address, orch_uri FROM $database.network_capabilities WHERE $rows
)
GROUP BY org, local_address, orchestrator_address, orch_uri
