SELECT
    ifNull(dedup_key, '') AS key,
    event_type,
    count() AS total,
    any(stored_position) AS stored_position,
    any(stored_json) AS stored_json,
    argMax(concat(source_topic, ':', toString(source_partition), ':', toString(source_offset)), (ingestion_timestamp, source_offset)) AS latest_position,
    argMax(payload_body, (ingestion_timestamp, source_offset)) AS latest_json,
    max(ingestion_timestamp) AS latest_at
FROM ($other_content)
GROUP BY key, event_type
ORDER BY total DESC, key, event_type
LIMIT 20
