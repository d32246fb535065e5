-- A block is one insert of a partition's range; it takes an entry of the window for each month that it touches.
SELECT max(taken) AS entries, argMax(sources, taken) AS partitions
FROM
(
    SELECT
        uniqExact(source_topic, source_partition, ingestion_timestamp, toYYYYMM(event_date)) AS taken,
        uniqExact(source_topic, source_partition) AS sources
    FROM livepeer_analytics.streaming_events
    WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        AND ingestion_timestamp <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    GROUP BY toStartOfInterval(ingestion_timestamp, toIntervalMinute({minutes:UInt32}))
)
