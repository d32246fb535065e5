-- Rows of one typed table made of the records at some positions.
SELECT
    '$table' AS table_name,
    toString(source_topic) AS topic,
    source_partition AS partition,
    source_offset AS offset,
    count() AS total,
    any(toString($stream_id)) AS stream_id,
    any(toString($request_id)) AS request_id,
    any(raw_event_uid) AS uid,
    groupUniqArray(toUnixTimestamp64Milli(event_timestamp)) AS times,
    groupUniqArray(toUnixTimestamp64Milli($own_time)) AS own_times
FROM $database.$table
WHERE $at_positions
GROUP BY topic, partition, offset
