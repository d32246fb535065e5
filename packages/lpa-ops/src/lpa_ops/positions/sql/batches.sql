-- Offsets of the rows that came together. Batches of a partition overlap only where it was read twice; and one batch has
-- a position once.
SELECT
    source_topic,
    source_partition,
    min(source_offset),
    max(source_offset) + 1,
    count() > groupBitmap(source_offset)
FROM ($positions)
GROUP BY source_topic, source_partition, ingestion_timestamp
