SELECT source_topic, source_partition, count(), min(source_offset), max(source_offset)
FROM
(
    SELECT toString(source_topic) AS source_topic, source_partition, source_offset
    FROM ($positions)
    GROUP BY source_topic, source_partition, source_offset
    HAVING count() > 1
)
GROUP BY source_topic, source_partition
ORDER BY source_topic, source_partition
