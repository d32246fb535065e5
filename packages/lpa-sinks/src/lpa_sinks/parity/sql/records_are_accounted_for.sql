-- severity: fail or warn
-- covers: 2, 77
-- meaning: Every record that arrived in the window is accepted, a dead letter or a duplicate, and one of them only
--   (fail). Offsets between the first and the last that nobody has (warn) are lost records: those that a worker found
--   to have none, as compaction and transactions leave them, do not count.
-- to do: compare the offsets with the topic; lpa replay from the archive brings lost ones back
SELECT
    if(any(stored.most) > 1, 'fail', 'warn') AS severity,
    source_topic, source_partition,
    any(stored.first) AS first, any(stored.last) AS last, any(stored.records) AS records,
    last - first + 1 - records - sumIf(gaps.offsets, gaps.source_offset BETWEEN stored.first AND stored.last) AS missing,
    any(stored.several) AS in_two_places
FROM
(
    SELECT
        source_topic, source_partition,
        min(source_offset) AS first, max(source_offset) AS last, count() AS records,
        max(places) AS most, countIf(places > 1) AS several
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
) AS stored
LEFT JOIN
(
    -- Gaps may overlap: each counts as far as those before it do not reach.
    SELECT
        source_topic, source_partition, source_offset,
        greatest(next_offset, reached) - greatest(source_offset, reached) AS offsets
    FROM
    (
        SELECT
            source_topic, source_partition, source_offset, next_offset,
            max(next_offset) OVER (
                PARTITION BY source_topic, source_partition
                ORDER BY source_offset, next_offset
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
        FROM livepeer_analytics.known_gaps
    )
) AS gaps USING (source_topic, source_partition)
GROUP BY source_topic, source_partition
HAVING missing > 0 OR in_two_places > 0
