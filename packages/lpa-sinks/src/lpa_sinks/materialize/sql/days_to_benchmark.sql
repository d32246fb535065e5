-- Days, epoch milliseconds of their start, whose facts are newer than their benchmark, or are little older: they may have been written
-- while it was made.
SELECT toUnixTimestamp64Milli(day)
FROM
(
    SELECT
        toStartOfInterval(window_start, INTERVAL 86400000 MILLISECOND) AS day,
        max(version) AS facts,
        toUInt64(0) AS benchmark
    FROM $database.agg_session_performance_1h_versions
    WHERE window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND orchestrator_address != ''
    GROUP BY day
    UNION ALL
    SELECT toStartOfInterval(sample_ts, INTERVAL 86400000 MILLISECOND) AS day, max(version), 0
    FROM $database.fact_workflow_latency_samples_versions
    WHERE sample_ts >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND orchestrator_address != ''
    GROUP BY day
    UNION ALL
    SELECT window_start, 0, max(version)
    FROM $database.agg_quality_benchmark_1d_versions
    GROUP BY window_start
)
GROUP BY day
HAVING max(facts) > 0 AND max(facts) + {margin:UInt64} > max(benchmark)
ORDER BY day
