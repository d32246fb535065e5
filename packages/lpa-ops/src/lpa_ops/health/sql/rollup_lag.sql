-- By batch time, which rollups take from the samples that they are made of.
WITH fromUnixTimestamp64Milli({since:Int64}, 'UTC') AS since
SELECT
    (
        SELECT maxOrNull(toUnixTimestamp64Milli(ingestion_timestamp))
        FROM livepeer_analytics.fact_stream_status_samples_versions
        WHERE ingestion_timestamp >= since AND is_attributed AND NOT is_deleted
    ) AS newest_fact,
    (
        SELECT minOrNull(toUnixTimestamp64Milli(ingestion_timestamp))
        FROM livepeer_analytics.fact_stream_status_samples_versions
        WHERE ingestion_timestamp >= since AND is_attributed AND NOT is_deleted
    ) AS oldest_fact,
    (
        SELECT maxOrNull(toUnixTimestamp64Milli(ingestion_timestamp))
        FROM livepeer_analytics.agg_stream_performance_1m_versions
        WHERE ingestion_timestamp >= since
    ) AS newest_rollup
