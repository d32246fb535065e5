-- How many of the offsets are in known gaps, which may overlap.
SELECT sum(greatest(stop, reached) - greatest(start, reached))
FROM
(
    SELECT
        start,
        stop,
        max(stop) OVER (ORDER BY start, stop ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM
    (
        SELECT greatest(source_offset, {first:UInt64}) AS start, least(next_offset, {behind:UInt64}) AS stop
        FROM $gaps
        WHERE source_topic = {topic:String}
            AND source_partition = {partition:UInt32}
            AND next_offset > {first:UInt64}
            AND source_offset < {behind:UInt64}
    )
)
