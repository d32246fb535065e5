-- severity: fail or warn
-- covers: 76
-- meaning: Every event is stored once, also after a replay. The same position twice, or a replayed record beside
--   its first (fail); the same key at two positions (warn) may come again after the time that keys are remembered.
-- to do: find which run wrote the second: its ingestion_timestamp tells when
WITH stored_rows AS
(
    SELECT 'streaming_events' AS table, org, dedup_key AS raw_event_uid, source_topic, source_partition, source_offset,
        replay, ingestion_timestamp
    FROM livepeer_analytics.streaming_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'ai_stream_status', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.ai_stream_status
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'stream_ingest_metrics', org, raw_event_uid, source_topic, source_partition, source_offset, replay,
        ingestion_timestamp
    FROM livepeer_analytics.stream_ingest_metrics
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'stream_trace_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay,
        ingestion_timestamp
    FROM livepeer_analytics.stream_trace_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'ai_stream_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.ai_stream_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'payment_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.payment_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'signed_ticket_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.signed_ticket_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'stream_heartbeats', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.stream_heartbeats
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'stream_stats', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.stream_stats
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'ai_batch_requests', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.ai_batch_requests
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'ai_llm_requests', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.ai_llm_requests
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'job_gateway_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.job_gateway_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'job_orchestrator_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.job_orchestrator_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'job_payment_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.job_payment_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'job_auth_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.job_auth_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'worker_lifecycle_events', org, raw_event_uid, source_topic, source_partition, source_offset, replay, ingestion_timestamp
    FROM livepeer_analytics.worker_lifecycle_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
)
SELECT
    if(uniqExact((source_topic, source_partition, source_offset)) < count() OR max(replay) = 1, 'fail',
        'warn') AS severity,
    table, org, raw_event_uid, groupArray((source_topic, source_partition, source_offset, ingestion_timestamp)) AS stored
FROM stored_rows
-- Groups of all keys would not fit into memory: those whose hash comes more than once.
WHERE cityHash64(table, org, raw_event_uid) IN
(
    SELECT cityHash64(table, org, raw_event_uid) AS hash
    FROM stored_rows
    GROUP BY hash
    HAVING count() > 1
    LIMIT 10000
)
GROUP BY table, org, raw_event_uid
HAVING count() > 1
