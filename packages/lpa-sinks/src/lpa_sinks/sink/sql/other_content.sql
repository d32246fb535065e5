-- Quarantined duplicates, $condition, whose key belongs to stored events of other content only. Two records have the same
-- content if they have the same fields with the same values, in whatever order, marks of replays apart. Of a record that
-- is not whole the hash decides. A key that is made of the content has no other content. The newest 100,000 are looked at.
WITH (text -> cityHash64(
    arraySort(arrayFilter(
        field -> field.1 != 'data' AND NOT startsWith(field.1, '__replay'),
        JSONExtractKeysAndValuesRaw(text))),
    arraySort(JSONExtractKeysAndValuesRaw(text, 'data')),
    if(JSONType(text, 'data') = 'Object', '', JSONExtractRaw(text, 'data')))) AS content
SELECT duplicates.*, owners.stored_json, owners.stored_position
FROM
(
    SELECT *
    FROM livepeer_analytics.streaming_events_quarantine
    WHERE failure_class = 'DUPLICATE' AND dedup_strategy = 'event_id' AND replay = 0 AND $condition
    ORDER BY ingestion_timestamp DESC
    LIMIT 100000
) AS duplicates
INNER JOIN
(
    SELECT
        org,
        dedup_key AS key,
        groupUniqArray(content(raw_json)) AS contents,
        groupUniqArray(lower(hex(SHA256(raw_json)))) AS hashes,
        any(raw_json) AS stored_json,
        any(concat(source_topic, ':', toString(source_partition), ':', toString(source_offset))) AS stored_position
    FROM livepeer_analytics.streaming_events
    WHERE dedup_key IN
    (
        SELECT ifNull(dedup_key, '')
        FROM livepeer_analytics.streaming_events_quarantine
        WHERE failure_class = 'DUPLICATE' AND dedup_strategy = 'event_id' AND replay = 0 AND $condition
    )
    GROUP BY org, key
) AS owners ON duplicates.org = owners.org AND ifNull(duplicates.dedup_key, '') = owners.key
WHERE NOT has(owners.hashes, duplicates.payload_sha256)
    AND (duplicates.payload_truncated = 1 OR NOT has(owners.contents, content(duplicates.payload_body)))
