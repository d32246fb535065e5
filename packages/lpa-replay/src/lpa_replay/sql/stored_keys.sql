SELECT DISTINCT dedup_key
FROM $database.streaming_events
WHERE dedup_key IN (SELECT key FROM format(Native, base64Decode('$keys'))) AND streaming_events.replay_id != {replay_id:String}
