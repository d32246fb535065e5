-- The latest of them.
SELECT
    failure_class,
    failure_reason,
    failure_details,
    event_type,
    event_id,
    state,
    attempt,
    source_topic,
    source_partition,
    source_offset,
    ingestion_timestamp
FROM ($rejects)
WHERE $matching
ORDER BY ingestion_timestamp DESC, source_topic, source_partition, source_offset DESC
LIMIT 100
