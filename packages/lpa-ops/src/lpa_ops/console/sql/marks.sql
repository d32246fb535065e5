-- What was done to the database: replays, and changes of its schema, which come with another version.
SELECT 'replay' AS kind, toUnixTimestamp64Milli(started_at) AS at_ms, concat(replay_id, ', ', state) AS name
FROM livepeer_analytics.replay_runs FINAL
WHERE started_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND started_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
UNION ALL
SELECT 'deployment' AS kind, intDiv(toUnixTimestamp64Micro(changed_at), 1000) AS at_ms, concat(name, ', ', state) AS name
FROM livepeer_analytics.schema_migrations
WHERE state IN ('applied', 'rolled back')
    AND changed_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND changed_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
ORDER BY at_ms DESC
LIMIT {limit:UInt32}
