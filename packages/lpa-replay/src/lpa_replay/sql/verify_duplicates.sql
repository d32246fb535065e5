-- Keys and positions that more than one row of the events in the window has, whoever brought them.
SELECT
    (
        SELECT count()
        FROM (SELECT dedup_key FROM $database.streaming_events WHERE $in_window GROUP BY org, dedup_key HAVING count() > 1)
    ) AS keys,
    (
        SELECT count()
        FROM
        (
            SELECT source_topic, source_partition, source_offset
            FROM $database.streaming_events
            WHERE $in_window
            GROUP BY source_topic, source_partition, source_offset
            HAVING count() > 1
        )
    ) AS positions
