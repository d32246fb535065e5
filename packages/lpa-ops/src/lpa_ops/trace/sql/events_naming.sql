-- Positions in one typed table of the events of some ids.
SELECT toString(source_topic) AS topic, source_partition AS partition, source_offset AS offset, ingestion_timestamp AS batch_time
FROM $database.$table
WHERE event_date >= toDate32(fromUnixTimestamp64Milli({first:Int64}, 'UTC'))
    AND event_date <= toDate32(fromUnixTimestamp64Milli({last:Int64}, 'UTC'))
    AND ($condition)
