SELECT source_topic, source_partition, count()
FROM
(
    SELECT source_topic, source_partition, dedup_key
    FROM $raw
    GROUP BY source_topic, source_partition, dedup_key
    HAVING count() > 1 AND max(ingestion_timestamp) - min(ingestion_timestamp) <= {ttl_seconds:UInt64}
)
GROUP BY source_topic, source_partition
ORDER BY source_topic, source_partition
