-- Positions of events and rejects with this id or dedup key.
SELECT toString(source_topic) AS topic, source_partition AS partition, source_offset AS offset, ingestion_timestamp AS batch_time
FROM $database.streaming_events
WHERE dedup_key = {id:String} AND dedup_key_hash = xxHash32({id:String})
UNION ALL
SELECT toString(source_topic), source_partition, source_offset, ingestion_timestamp
FROM $database.streaming_events_dlq
WHERE event_id = {id:String} OR dedup_key = {id:String}
UNION ALL
SELECT toString(source_topic), source_partition, source_offset, ingestion_timestamp
FROM $database.streaming_events_quarantine
WHERE event_id = {id:String} OR dedup_key = {id:String}
