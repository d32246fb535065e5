-- Intervals of offsets that no table has and that are no known gap, in their order, and whether the worker that read
-- across one wrote down its gaps. The end that is asked for stands for a row.
SELECT greatest(reached, {first:UInt64}) AS first, start AS behind, recorded
FROM
(
    SELECT
        start,
        recorded,
        max(stop) OVER (ORDER BY start, stop ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM
    (
        SELECT
            source_offset AS start,
            source_offset + 1 AS stop,
            ingestion_timestamp >= fromUnixTimestamp64Milli({gaps_known_since:Int64}, 'UTC') AS recorded
        FROM ($positions)
        WHERE source_topic = {topic:String}
            AND source_partition = {partition:UInt32}
            AND source_offset >= {first:UInt64}
            AND source_offset < {behind:UInt64}
        UNION ALL
        SELECT source_offset, next_offset, 1
        FROM ($gaps)
        WHERE source_topic = {topic:String}
            AND source_partition = {partition:UInt32}
            AND next_offset > {first:UInt64}
            AND source_offset < {behind:UInt64}
        UNION ALL
        SELECT {behind:UInt64}, {behind:UInt64}, 1
    )
)
WHERE start > greatest(reached, {first:UInt64})
ORDER BY first
