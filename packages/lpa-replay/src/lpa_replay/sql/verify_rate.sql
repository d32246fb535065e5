-- Dead letters and accepted records, by time of ingestion, in the day before the first of the dead letters that the run
-- was about.
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
        SELECT countIf(ingestion_timestamp < first_failure AND ingestion_timestamp >= first_failure - INTERVAL 1 DAY)
        FROM $database.streaming_events_dlq
    ) AS dead_before,
    (
        SELECT countIf(ingestion_timestamp < first_failure AND ingestion_timestamp >= first_failure - INTERVAL 1 DAY)
        FROM $database.streaming_events
    ) AS accepted_before
