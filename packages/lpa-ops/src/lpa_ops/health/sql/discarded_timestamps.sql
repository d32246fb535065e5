-- The times in the data of the newest traces and statuses, by what those look like that are not believed. A time of the
-- step itself is believed near its event; one of something before, from the earliest time to its event.
WITH
    (
        SELECT min(ingestion_timestamp)
        FROM
        (
            SELECT ingestion_timestamp
            FROM livepeer_analytics.streaming_events
            WHERE type IN ('stream_trace', 'ai_stream_status')
                AND ingestion_timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
                AND ingestion_timestamp <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
            ORDER BY ingestion_timestamp DESC
            LIMIT {events:UInt64}
        )
    ) AS first_looked_at,
    (text, name) -> arrayLast(pair -> pair.1 = name, JSONExtractKeysAndValuesRaw(text)).2 AS member,
    (at, of_step) -> if(
        of_step, abs(at - timestamp) <= {apart:Int64}, at >= {earliest:Int64} AND at <= timestamp + {apart:Int64}
    ) AS believed
SELECT
    count() AS times,
    countIf(kind = 'seconds') AS seconds,
    countIf(kind = 'skew') AS skew,
    countIf(kind = 'other') AS other,
    topKIf(1)(gateway, kind != '') AS gateways
FROM
(
    SELECT
        gateway,
        multiIf(
            believed(sent.2, sent.1), '',
            believed(sent.2 * 1000, sent.1), 'seconds',
            abs(sent.2 - timestamp) <= {ahead:Int64}, 'skew',
            'other') AS kind
    FROM
    (
        SELECT
            timestamp,
            gateway,
            arrayJoin(arrayMap(
                found -> (found.1, trunc(toFloat64OrZero(trim(BOTH '" ' FROM found.2)))),
                arrayFilter(
                    found -> match(found.2, '^("\\s*[0-9]+\\s*"|-?[0-9].*)$'),
                    if(
                        type = 'stream_trace',
                        [(true, member(data, 'timestamp'))],
                        [
                            (false, member(data, 'start_time')),
                            (false, member(member(data, 'inference_status'), 'last_error_time'))
                        ])))) AS sent
        FROM livepeer_analytics.streaming_events
        WHERE type IN ('stream_trace', 'ai_stream_status')
            AND ingestion_timestamp >= first_looked_at
            AND ingestion_timestamp <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    )
)
