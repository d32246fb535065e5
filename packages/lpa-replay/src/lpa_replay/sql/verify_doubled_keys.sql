-- Keys of this run that more than one row of the whole table has, whatever its window was about.
SELECT count()
FROM
(
    SELECT dedup_key
    FROM $database.streaming_events
    WHERE dedup_key IN
    (
        SELECT dedup_key FROM $database.streaming_events WHERE streaming_events.replay_id = {replay_id:String}
    )
    GROUP BY dedup_key
    HAVING count() > 1
)
