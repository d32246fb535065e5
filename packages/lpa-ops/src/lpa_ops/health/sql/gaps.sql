-- The offset behind the last one asked for stands for a row, so that what is missing at the end is a gap as well.
SELECT previous + 1 AS first, source_offset - 1 AS last
FROM
(
    SELECT
        source_offset,
        lagInFrame(source_offset, 1, toInt64({first:UInt64}) - 1) OVER (
            ORDER BY source_offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        ) AS previous
    FROM
    (
        SELECT toInt64(source_offset) AS source_offset
        FROM
        (
            SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events
            UNION ALL
            SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events_dlq
            UNION ALL
            SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events_quarantine
        )
        WHERE source_topic = {topic:String}
            AND source_partition = {partition:UInt32}
            AND source_offset BETWEEN {first:UInt64} AND {last:UInt64}
        UNION ALL
        SELECT toInt64({last:UInt64}) + 1
    )
)
WHERE source_offset > previous + 1
ORDER BY source_offset - previous DESC
LIMIT {limit:UInt32}
