-- A run that is not delivered has not sent all that it is going to: what it has sent tells of it itself. The keys that it
-- gave to records count all the same.
WITH replay_id IN (SELECT replay_id FROM $database.replay_runs FINAL WHERE state != 'staged') AS delivered
SELECT
    source_topic,
    source_partition,
    source_offset,
    maxIf(attempt, outcome = 'published' AND delivered) AS attempts,
    groupUniqArrayIf(dedup_key, outcome = 'published' AND dedup_key != '') AS keys,
    countIf(outcome = 'exhausted' AND delivered) > 0 AS exhausted
FROM $database.replay_outcomes FINAL
WHERE replay_id != {replay_id:String}
    AND outcome IN ('published', 'exhausted')
    AND (source_topic, source_partition, source_offset) IN (SELECT topic, partition, offset FROM format(Native, base64Decode('$positions')))
GROUP BY source_topic, source_partition, source_offset
