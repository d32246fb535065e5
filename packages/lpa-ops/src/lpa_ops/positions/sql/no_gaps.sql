SELECT '' AS source_topic, toUInt32(0) AS source_partition, toUInt64(0) AS source_offset, toUInt64(0) AS next_offset
WHERE 0
