SELECT toString(source_topic) AS topic, source_partition AS partition, source_offset AS offset, ingestion_timestamp AS batch_time
FROM $database.ignored_events
WHERE event_id = {id:String}
