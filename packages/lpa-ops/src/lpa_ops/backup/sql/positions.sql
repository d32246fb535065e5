SELECT toString(source_topic), source_partition, max(source_offset) + 1
FROM $table
GROUP BY source_topic, source_partition
