-- The first stored event of each of some dedup keys.
SELECT
    toString(org) AS org,
    dedup_key,
    argMin((toString(source_topic), source_partition, source_offset), (ingestion_timestamp, source_offset)) AS owner,
    min(ingestion_timestamp) AS claimed
FROM $database.streaming_events
WHERE dedup_key IN {keys:Array(String)}
    AND dedup_key_hash IN (SELECT xxHash32(arrayJoin({keys:Array(String)})))
GROUP BY org, dedup_key
