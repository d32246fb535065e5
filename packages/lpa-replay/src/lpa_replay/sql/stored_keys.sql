WITH wanted AS (SELECT org, key FROM format(Native, base64Decode('$keys')))
SELECT DISTINCT toString(org) AS org, dedup_key
FROM $database.streaming_events
WHERE dedup_key IN (SELECT key FROM wanted) AND (org, dedup_key) IN (SELECT org, key FROM wanted) AND streaming_events.replay_id != {replay_id:String}
