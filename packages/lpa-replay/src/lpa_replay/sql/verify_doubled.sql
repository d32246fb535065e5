-- What this run doubled, whatever its window was about: keys of which it stored two rows, or one beside an older row of
-- another; positions of its rows that have a second row. A row that another brought later is not this run's doing.
WITH own AS
(
    SELECT org, dedup_key, source_topic, source_partition, source_offset
    FROM $database.streaming_events
    WHERE streaming_events.replay_id = {replay_id:String}
)
SELECT
    (
        SELECT count()
        FROM
        (
            SELECT
                countIf(streaming_events.replay_id = {replay_id:String}) AS ours,
                count() - ours AS others,
                minIf(ingestion_timestamp, streaming_events.replay_id = {replay_id:String}) AS our_first,
                minIf(ingestion_timestamp, streaming_events.replay_id != {replay_id:String}) AS their_first
            FROM $database.streaming_events
            WHERE dedup_key IN (SELECT dedup_key FROM own) AND (org, dedup_key) IN (SELECT org, dedup_key FROM own)
            GROUP BY org, dedup_key
            HAVING ours > 1 OR (others > 0 AND their_first <= our_first)
        )
    ) AS keys,
    (
        SELECT count()
        FROM
        (
            SELECT source_topic, source_partition, source_offset
            FROM $database.streaming_events
            WHERE (source_topic, source_partition, source_offset) IN
            (
                SELECT source_topic, source_partition, source_offset FROM own
            )
            GROUP BY source_topic, source_partition, source_offset
            HAVING count() > 1
        )
    ) AS positions
