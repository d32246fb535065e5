-- Rows of a typed table that belong to the events that the run recovered.
SELECT count()
FROM $table
WHERE replay = 1
    AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND (source_topic, source_partition, source_offset) IN
    (
        SELECT source_topic, source_partition, source_offset
        FROM $database.streaming_events
        WHERE streaming_events.replay_id = {replay_id:String}
            AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    )
