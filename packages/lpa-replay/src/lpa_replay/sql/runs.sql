SELECT
    replay_id, state, toUnixTimestamp64Milli(started_at) AS started_ms, started_by, version, source, target, clock,
    toUnixTimestamp64Milli(window_start) AS start_ms, toUnixTimestamp64Milli(window_end) AS end_ms,
    filters, bounds, fix_sha256, transforms, max_attempts, forced,
    records_read, records_selected, records_published, records_skipped, records_unrecoverable, records_exhausted,
    first_position, last_position, verification
FROM $database.replay_runs FINAL
WHERE empty({replay_id:String}) OR replay_id = {replay_id:String}
ORDER BY started_at, replay_id
