-- What workers of these capabilities registered with.
SELECT
    org,
    toUnixTimestamp64Milli(event_timestamp) AS happened,
    raw_event_uid,
    capability,
    orchestrator_address,
    worker_url,
    models
FROM $database.worker_lifecycle_events
WHERE $rows
    AND subtype = 'worker_registered'
    AND (org, capability) IN (SELECT org, capability FROM format(Native, base64Decode('$capabilities')))
