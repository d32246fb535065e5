-- A row per record of the run, or of a part of it, with what became of it: where its origin is found among the rows that carry the
-- id of the run. Joins fill what they do not find with empty text.
SELECT
    replay_id,
    number,
    source_topic,
    source_partition,
    source_offset,
    source_record_timestamp,
    event_timestamp,
    event_type,
    failure_class,
    failure_reason,
    outcome,
    why,
    forecast,
    dedup_key,
    attempt,
    typed_rows,
    multiIf(
        outcome = 'unrecoverable', 'unrecoverable',
        outcome != 'published', 'skipped',
        (recovered.place != '') + (rejected.place != '') + (duplicate.place != '') > 1, 'ambiguous',
        recovered.place != '', 'recovered',
        rejected.place != '', 'failed_again',
        duplicate.place != '', 'skipped',
        'missing') AS result,
    multiIf(
        outcome != 'published', why,
        rejected.place != '', rejected.reason,
        duplicate.place != '', 'duplicate',
        '') AS result_reason,
    fromUnixTimestamp64Milli({now:Int64}, 'UTC') AS recorded_at
FROM
(
    SELECT *, concat(source_topic, ':', toString(source_partition), ':', toString(source_offset)) AS place
    FROM $database.replay_outcomes FINAL
    WHERE replay_id = {replay_id:String} AND $which
) AS outcomes
LEFT JOIN
(
    SELECT simpleJSONExtractString(raw_json, '__replay_origin') AS place
    FROM $database.streaming_events
    WHERE streaming_events.replay_id = {replay_id:String}
        AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    GROUP BY place
) AS recovered ON outcomes.place = recovered.place
LEFT JOIN
(
    SELECT
        simpleJSONExtractString(payload_body, '__replay_origin') AS place,
        any(concat(failure_class, ' ', failure_reason)) AS reason
    FROM $database.streaming_events_dlq
    WHERE streaming_events_dlq.replay_id = {replay_id:String}
        AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    GROUP BY place
) AS rejected ON outcomes.place = rejected.place
LEFT JOIN
(
    SELECT simpleJSONExtractString(payload_body, '__replay_origin') AS place
    FROM $database.streaming_events_quarantine
    WHERE streaming_events_quarantine.replay_id = {replay_id:String}
        AND streaming_events_quarantine.failure_class = 'DUPLICATE'
        AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    GROUP BY place
) AS duplicate ON outcomes.place = duplicate.place
