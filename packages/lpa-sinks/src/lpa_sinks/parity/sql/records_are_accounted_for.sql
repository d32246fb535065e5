-- severity: fail or warn
-- covers: 2, 77
-- meaning: Every record that arrived in the window is accepted, a dead letter or a duplicate, and one of them only
--   (fail). Offsets between the first and the last that nobody has (warn) are lost records, or a log's own:
--   compaction and transactions leave such gaps.
-- to do: compare the offsets with the topic; lpa replay from the archive brings lost ones back
SELECT
    if(max(places) > 1, 'fail', 'warn') AS severity,
    source_topic, source_partition,
    min(source_offset) AS first, max(source_offset) AS last, count() AS records,
    last - first + 1 - records AS missing,
    countIf(places > 1) AS in_two_places
FROM
(
    SELECT source_topic, source_partition, source_offset, uniqExact(place) AS places
    FROM
    (
        SELECT 'accepted' AS place, source_topic, source_partition, source_offset
        FROM livepeer_analytics.streaming_events
        WHERE ingestion_timestamp >= {start:DateTime('UTC')} AND ingestion_timestamp < {end:DateTime('UTC')}
        UNION ALL
        SELECT 'dead letter', source_topic, source_partition, source_offset
        FROM livepeer_analytics.streaming_events_dlq
        WHERE ingestion_timestamp >= {start:DateTime('UTC')} AND ingestion_timestamp < {end:DateTime('UTC')}
        UNION ALL
        SELECT 'duplicate', source_topic, source_partition, source_offset
        FROM livepeer_analytics.streaming_events_quarantine
        WHERE failure_class != 'REPLAY_EXHAUSTED' -- beside its dead letter, which holds the position
            AND ingestion_timestamp >= {start:DateTime('UTC')} AND ingestion_timestamp < {end:DateTime('UTC')}
    )
    GROUP BY source_topic, source_partition, source_offset
)
GROUP BY source_topic, source_partition
HAVING missing > 0 OR in_two_places > 0
