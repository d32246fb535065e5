SELECT count()
FROM
(
    (SELECT 1 FROM $raw WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} LIMIT 1)
    UNION ALL
    (SELECT 1 FROM $dead_letters WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} LIMIT 1)
    UNION ALL
    (SELECT 1 FROM $quarantine WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} LIMIT 1)
)
