SELECT
    source_topic,
    source_partition,
    source_offset,
    maxIf(attempt, outcome = 'published') AS attempts,
    groupUniqArrayIf(dedup_key, outcome = 'published' AND dedup_key != '') AS keys,
    countIf(outcome = 'exhausted') > 0 AS exhausted
FROM $database.replay_outcomes FINAL
WHERE replay_id != {replay_id:String}
    AND outcome IN ('published', 'exhausted')
    AND (source_topic, source_partition, source_offset) IN (SELECT topic, partition, offset FROM $positions)
GROUP BY source_topic, source_partition, source_offset
