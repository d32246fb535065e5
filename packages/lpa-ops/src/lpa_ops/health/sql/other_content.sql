SELECT
    ifNull(dedup_key, '') AS key,
    any(event_type) AS type,
    count() AS records,
    sum(records) OVER () AS total,
    count() OVER () AS keys
FROM ($other_content)
WHERE ingestion_timestamp <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
GROUP BY key
ORDER BY records DESC, key
LIMIT 1
