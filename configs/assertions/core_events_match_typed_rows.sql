-- severity: fail
-- covers: 4
-- meaning: Every stored event of a stream or a signed ticket has exactly one typed row, and every typed row its event.
-- to do: ingest the range again: lpa replay from the archive; then tell the developers, for a block was not written
--   whole
SELECT type, raw_event_uid, source_topic, source_partition, source_offset, sum(weight) AS events_without_rows
FROM
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
GROUP BY type, raw_event_uid, source_topic, source_partition, source_offset
HAVING events_without_rows != 0
