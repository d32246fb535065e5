-- Rejects whose text names these ids, for they have no rows that could be asked. An empty text is in every other.
SELECT toString(source_topic) AS topic, source_partition AS partition, source_offset AS offset, ingestion_timestamp AS batch_time
FROM $database.$table
WHERE payload_encoding = 'json'
    AND position(payload_body, {one:String}) > 0
    AND position(payload_body, {other:String}) > 0
