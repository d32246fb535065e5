-- From where to where the rows of some batch times go.
SELECT
    topic,
    partition,
    toUnixTimestamp64Milli(batch_time) AS batch_ms,
    min(first) AS start,
    max(behind) AS stop
FROM
(
    SELECT toString(source_topic) AS topic, source_partition AS partition, ingestion_timestamp AS batch_time,
        source_offset AS first, source_offset + 1 AS behind
    FROM $database.streaming_events
    WHERE $in_batches
    UNION ALL
    SELECT toString(source_topic), source_partition, ingestion_timestamp, source_offset, source_offset + 1
    FROM $database.streaming_events_dlq
    WHERE $in_batches
    UNION ALL
    SELECT toString(source_topic), source_partition, ingestion_timestamp, source_offset, source_offset + 1
    FROM $database.streaming_events_quarantine
    WHERE $in_batches AND failure_class != 'REPLAY_EXHAUSTED'
    UNION ALL
    SELECT toString(source_topic), source_partition, ingestion_timestamp, source_offset, next_offset
    FROM $database.known_gaps
    WHERE $in_batches AND reason = 'ignored'
)
GROUP BY topic, partition, batch_ms
