-- Rows of a fact table that were made of events that the run recovered.
SELECT count()
FROM $table
WHERE (org, source_event_uid) IN
(
    SELECT org, dedup_key
    FROM $database.streaming_events
    WHERE streaming_events.replay_id = {replay_id:String}
        AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
)
