-- severity: fail
-- covers: 4
-- meaning: Every stored event of a stream or a signed ticket has exactly one typed row, and every typed row its event.
-- to do: ingest the range again: lpa replay from the archive; then tell the developers, for a block was not written
--   whole
WITH weighed AS
(
    SELECT type, dedup_key AS raw_event_uid, source_topic, source_partition, source_offset, 1 AS weight
    FROM livepeer_analytics.streaming_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
        AND type IN ('ai_stream_status', 'stream_ingest_metrics', 'stream_trace', 'ai_stream_events',
            'create_signed_ticket', 'stream_heartbeat', 'stream_stats')
    UNION ALL
    SELECT 'ai_stream_status' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.ai_stream_status
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'stream_ingest_metrics' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.stream_ingest_metrics
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'stream_trace' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.stream_trace_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'ai_stream_events' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.ai_stream_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'create_signed_ticket' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.signed_ticket_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'stream_heartbeat' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.stream_heartbeats
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'stream_stats' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.stream_stats
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
)
SELECT type, raw_event_uid, source_topic, source_partition, source_offset, sum(weight) AS events_without_rows
FROM weighed
-- Groups of all events would not fit into memory: those of stretches of offsets whose events and rows do not cancel out.
WHERE (source_topic, source_partition, intDiv(source_offset, 4096)) IN
(
    SELECT source_topic, source_partition, intDiv(source_offset, 4096) AS stretch
    FROM weighed
    GROUP BY source_topic, source_partition, stretch
    HAVING sum(weight) != 0 OR sum(weight * toInt64(cityHash64(type, raw_event_uid, source_offset))) != 0
    LIMIT 100
)
GROUP BY type, raw_event_uid, source_topic, source_partition, source_offset
HAVING events_without_rows != 0
