-- A record as it was rejected, once for each time that it was.
SELECT *, '$place' AS place
FROM livepeer_analytics.$table
WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} AND source_offset = {offset:UInt64}
ORDER BY ingestion_timestamp DESC
LIMIT 10
