SELECT count() AS samples, countIf(is_attributed = 1) AS attributed
FROM livepeer_analytics.fact_stream_status_samples
WHERE toStartOfHour(sample_ts) >= toStartOfHour(fromUnixTimestamp64Milli({now:Int64}, 'UTC') - INTERVAL 1 HOUR)
    AND sample_ts >= fromUnixTimestamp64Milli({now:Int64}, 'UTC') - INTERVAL 1 HOUR
    AND sample_ts < fromUnixTimestamp64Milli({now:Int64}, 'UTC')
