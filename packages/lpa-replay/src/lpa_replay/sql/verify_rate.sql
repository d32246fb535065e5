-- Dead letters and all records by time of ingestion: after the run began, and in the day before the first of the dead
-- letters that it was about.
WITH
(
    SELECT min(ingestion_timestamp)
    FROM $database.streaming_events_dlq
    WHERE (source_topic, source_partition, source_offset) IN
    (
        SELECT source_topic, source_partition, source_offset
        FROM $database.replay_outcomes FINAL
        WHERE replay_id = {replay_id:String}
    )
) AS first_failure
SELECT
    (
        SELECT countIf(ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
        FROM $database.streaming_events_dlq
    ) AS dead_after,
    (
        SELECT countIf(ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
        FROM $database.streaming_events
    ) AS accepted_after,
    (
        SELECT countIf(ingestion_timestamp < first_failure AND ingestion_timestamp >= first_failure - INTERVAL 1 DAY)
        FROM $database.streaming_events_dlq
    ) AS dead_before,
    (
        SELECT countIf(ingestion_timestamp < first_failure AND ingestion_timestamp >= first_failure - INTERVAL 1 DAY)
        FROM $database.streaming_events
    ) AS accepted_before
