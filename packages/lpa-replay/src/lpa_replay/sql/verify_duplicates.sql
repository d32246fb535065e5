-- Of the events in the window: keys and positions that more than one row has, and those of them with rows of this run.
SELECT
    (
        SELECT tuple(count(), countIf(replayed > 0))
        FROM
        (
            SELECT dedup_key, countIf(replay_id = {replay_id:String}) AS replayed
            FROM $database.streaming_events
            WHERE $in_window
            GROUP BY dedup_key
            HAVING count() > 1
        )
    ) AS by_key,
    (
        SELECT tuple(count(), countIf(replayed > 0))
        FROM
        (
            SELECT source_topic, source_partition, source_offset, countIf(replay_id = {replay_id:String}) AS replayed
            FROM $database.streaming_events
            WHERE $in_window
            GROUP BY source_topic, source_partition, source_offset
            HAVING count() > 1
        )
    ) AS by_position
