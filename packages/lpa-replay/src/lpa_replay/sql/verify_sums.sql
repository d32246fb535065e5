SELECT
    count() AS records,
    uniqExact(number) AS numbers,
    countIf(outcome = 'published') AS published,
    countIf(result = 'recovered') AS recovered,
    countIf(result = 'failed_again') AS failed_again,
    countIf(result = 'skipped') AS skipped,
    countIf(result = 'unrecoverable') AS unrecoverable,
    countIf(result = 'missing') AS missing,
    countIf(result = 'ambiguous') AS ambiguous,
    sumIf(typed_rows, result = 'recovered') AS typed_rows,
    toUnixTimestamp64Milli(minIf(source_record_timestamp, outcome = 'published')) AS oldest_ms
FROM $database.replay_outcomes FINAL
WHERE replay_id = {replay_id:String}
