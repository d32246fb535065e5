SELECT
    schema_version,
    source_topic,
    source_partition,
    source_offset,
    toUnixTimestamp64Milli(source_record_timestamp) AS record_ms,
    toUnixTimestamp64Milli(event_timestamp) AS event_ms,
    toUnixTimestamp64Milli(ingestion_timestamp) AS ingested_ms,
    failure_stage,
    failure_class,
    failure_reason,
    failure_details,
    event_type,
    ifNull(dedup_key, '') AS key,
    attempt,
    payload_encoding,
    payload_body,
    payload_truncated,
    traceparent
FROM $table
WHERE ingestion_timestamp <= fromUnixTimestamp64Milli({through:Int64}, 'UTC')
    AND ({start:Nullable(Int64)} IS NULL OR $moment >= fromUnixTimestamp64Milli(assumeNotNull({start:Nullable(Int64)}), 'UTC'))
    AND ({end:Nullable(Int64)} IS NULL OR $moment < fromUnixTimestamp64Milli(assumeNotNull({end:Nullable(Int64)}), 'UTC'))
    AND (empty({classes:Array(String)}) OR failure_class IN {classes:Array(String)})
    AND (empty({reasons:Array(String)}) OR failure_reason IN {reasons:Array(String)})
    AND (empty({types:Array(String)}) OR event_type IN {types:Array(String)})
    AND ($where
    )
ORDER BY event_date, failure_class, event_type, source_topic, source_partition, source_offset
