SELECT
    countIf(state != 'recovered') AS left,
    countIf(state = 'given up') AS given_up,
    countIf(state = 'recovered') AS recovered
FROM ($dead_letters)
WHERE ingestion_timestamp <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
