-- A row for each record that was dead-lettered from $since on, as its latest attempt left it. An attempt of a replay is
-- the record that it was made of. state:
--   recovered    its event is stored: a replay brought it or found it stored, or it came again after the rejection, which
--                its key tells, or its id where it was rejected before it had a key
--   given up     replays sent it as often as allowed
--   outstanding  all others
SELECT
    letters.*,
    multiIf(
        letters.origin IN
        (
            SELECT simpleJSONExtractString(raw_json, '__replay_origin')
            FROM livepeer_analytics.streaming_events
            WHERE replay = 1 AND ingestion_timestamp >= $since
        ), 'recovered',
        letters.origin IN
        (
            SELECT simpleJSONExtractString(payload_body, '__replay_origin')
            FROM livepeer_analytics.streaming_events_quarantine
            WHERE replay = 1 AND failure_class = 'DUPLICATE' AND ingestion_timestamp >= $since
        ), 'recovered',
        letters.origin IN
        (
            SELECT concat(source_topic, ':', toString(source_partition), ':', toString(source_offset))
            FROM livepeer_analytics.replay_outcomes
            WHERE outcome = 'skipped' AND why = 'already stored' AND recorded_at >= $since
        ), 'recovered',
        again.stored_at > letters.ingestion_timestamp, 'recovered',
        again.stored_at = letters.ingestion_timestamp AND again.topic = letters.source_topic
            AND again.partition = letters.source_partition AND again.offset > letters.source_offset, 'recovered',
        letters.origin IN
        (
            SELECT concat(source_topic, ':', toString(source_partition), ':', toString(source_offset))
            FROM livepeer_analytics.replay_outcomes
            WHERE outcome = 'exhausted' AND recorded_at >= $since
        ), 'given up',
        'outstanding') AS state
FROM
(
$letters
) AS letters
LEFT JOIN
(
    SELECT
        org,
        dedup_key AS key,
        max(ingestion_timestamp) AS stored_at,
        argMax(source_topic, (ingestion_timestamp, source_offset)) AS topic,
        argMax(source_partition, (ingestion_timestamp, source_offset)) AS partition,
        argMax(source_offset, (ingestion_timestamp, source_offset)) AS offset
    FROM livepeer_analytics.streaming_events
    PREWHERE dedup_key_hash IN
    (
        SELECT xxHash32(if(ifNull(dedup_key, '') = '', event_id, ifNull(dedup_key, '')) AS key)
        FROM livepeer_analytics.streaming_events_dlq
        WHERE ingestion_timestamp >= $since AND key != '' AND ($asked)
    )
    WHERE ingestion_timestamp >= $since
    GROUP BY org, key
) AS again ON letters.org = again.org
    AND if(ifNull(letters.dedup_key, '') = '', letters.event_id, ifNull(letters.dedup_key, '')) = again.key
