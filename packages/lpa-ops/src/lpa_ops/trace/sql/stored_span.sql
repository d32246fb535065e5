-- The offsets of a partition that the raw table and the rejects have.
SELECT count(), min(first), max(behind)
FROM
(
    SELECT min(source_offset) AS first, max(source_offset) + 1 AS behind FROM $database.streaming_events
    WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} HAVING count() > 0
    UNION ALL
    SELECT min(source_offset), max(source_offset) + 1 FROM $database.streaming_events_dlq
    WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} HAVING count() > 0
    UNION ALL
    SELECT min(source_offset), max(source_offset) + 1 FROM $database.streaming_events_quarantine
    WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} HAVING count() > 0
)
