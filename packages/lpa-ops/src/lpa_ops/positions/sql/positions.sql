SELECT toString(source_topic), source_partition, min(source_offset), max(source_offset) + 1
FROM $table
GROUP BY source_topic, source_partition
