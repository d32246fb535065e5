SELECT toString(source_topic), source_partition, source_offset, next_offset
FROM $database.known_gaps
WHERE reason = 'erased'
