SELECT
    name,
    engine LIKE 'Replicated%' OR engine LIKE 'Shared%' AS replicated,
    toUInt64OrZero(extract(engine_full, '(?:^|[ ,])non_replicated_deduplication_window = (\\d+)')) AS plain_window,
    toUInt64OrZero(extract(engine_full, '(?:^|[ ,])replicated_deduplication_window = (\\d+)')) AS replicated_window,
    toUInt64OrZero(extract(engine_full, '(?:^|[ ,])replicated_deduplication_window_seconds = (\\d+)')) AS replicated_seconds
FROM system.tables
WHERE database = {database:String} AND name IN {tables:Array(String)} AND engine LIKE '%MergeTree'
