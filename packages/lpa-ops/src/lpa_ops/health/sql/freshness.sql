-- By batch time, which facts take from the events that they are made of: late and wrongly dated events do not matter.
-- Versions are read as they are: the newest needs no merging.
WITH fromUnixTimestamp64Milli({since:Int64}, 'UTC') AS since
SELECT
    (
        SELECT maxOrNull(toUnixTimestamp64Milli(ingestion_timestamp))
        FROM livepeer_analytics.ai_stream_status
        WHERE ingestion_timestamp >= since
    ) AS newest_event,
    (
        SELECT minOrNull(toUnixTimestamp64Milli(ingestion_timestamp))
        FROM livepeer_analytics.ai_stream_status
        WHERE ingestion_timestamp >= since
    ) AS oldest_event,
    (
        SELECT maxOrNull(toUnixTimestamp64Milli(ingestion_timestamp))
        FROM livepeer_analytics.fact_stream_status_samples_versions
        WHERE ingestion_timestamp >= since
    ) AS newest_fact
