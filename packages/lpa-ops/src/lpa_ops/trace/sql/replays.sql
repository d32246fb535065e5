-- What replays did with the records of some positions, the first replay first.
SELECT
    toString(outcomes.source_topic) AS topic,
    outcomes.source_partition AS partition,
    outcomes.source_offset AS offset,
    outcomes.replay_id AS replay_id,
    toString(outcomes.outcome) AS outcome,
    outcomes.why AS why,
    toString(outcomes.forecast) AS forecast,
    toString(outcomes.result) AS result,
    outcomes.result_reason AS result_reason,
    outcomes.attempt AS attempt,
    outcomes.dedup_key AS dedup_key,
    toUnixTimestamp64Milli(outcomes.recorded_at) AS recorded_ms,
    toString(runs.state) AS state,
    runs.started_at AS started_at,
    runs.started_by AS started_by
FROM (SELECT * FROM $database.replay_outcomes FINAL WHERE $at_positions) AS outcomes
LEFT JOIN (SELECT * FROM $database.replay_runs FINAL) AS runs ON runs.replay_id = outcomes.replay_id
ORDER BY runs.started_at, outcomes.replay_id, outcomes.number
