-- Tables that rows of some positions were withdrawn from.
SELECT
    toString(source_topic) AS topic,
    source_partition AS partition,
    source_offset AS offset,
    arraySort(groupUniqArray(toString(table_name))) AS table_names
FROM $database.withdrawn_positions
WHERE $at_positions
GROUP BY topic, partition, offset
