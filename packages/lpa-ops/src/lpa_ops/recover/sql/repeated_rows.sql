-- Where rows lie that one batch brought several times: of each position, as many rows as it has too many.
SELECT part, row
FROM
(
    SELECT
        _part AS part,
        _part_offset AS row,
        row_number() OVER same AS number,
        count() OVER (PARTITION BY source_offset$and_columns) AS total,
        transform(source_offset, {offsets:Array(UInt64)}, {times:Array(UInt64)}, toUInt64(1)) AS times
    FROM $table
    WHERE source_topic = {topic:String}
        AND source_partition = {partition:UInt32}
        AND source_offset IN {offsets:Array(UInt64)}
    WINDOW same AS (PARTITION BY source_offset$and_columns ORDER BY _part, _part_offset)
)
WHERE total % times = 0 AND number > intDiv(total, times)
