-- Prices of BYOC capabilities in these snapshots, wei for a unit.
SELECT
    org,
    orchestrator_address,
    toUnixTimestamp64Milli(event_timestamp) AS snapshot,
    lower(trimBoth(ifNull(constraint_name, ''))) AS capability,
    min(price_per_unit / if(ifNull(pixels_per_unit, 0) > 0, pixels_per_unit, 1)) AS price
FROM $database.network_capabilities_prices
WHERE capability_id = 37
    AND price_per_unit IS NOT NULL
    AND orchestrator_address IN (SELECT orchestrator_address FROM format(Native, base64Decode('$wanted')))
    AND (org, orchestrator_address, toUnixTimestamp64Milli(event_timestamp), lower(trimBoth(ifNull(constraint_name, ''))))
        IN (SELECT org, orchestrator_address, snapshot, capability FROM format(Native, base64Decode('$wanted')))
GROUP BY org, orchestrator_address, snapshot, capability
