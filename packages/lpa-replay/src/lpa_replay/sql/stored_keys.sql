SELECT DISTINCT dedup_key
FROM $database.streaming_events
WHERE dedup_key IN (SELECT key FROM $keys)
