-- severity: fail
-- covers: 4
-- meaning: Every stored event of a job or a worker has exactly one typed row, and every typed row its event.
-- to do: ingest the range again: lpa replay from the archive; then tell the developers, for a block was not written
--   whole
SELECT type, raw_event_uid, source_topic, source_partition, source_offset, sum(weight) AS events_without_rows
FROM
(
    SELECT type, dedup_key AS raw_event_uid, source_topic, source_partition, source_offset, 1 AS weight
    FROM livepeer_analytics.streaming_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
        AND type IN ('ai_batch_request', 'ai_llm_request', 'job_gateway', 'job_orchestrator', 'job_payment',
            'job_auth', 'worker_lifecycle')
    UNION ALL
    SELECT 'ai_batch_request' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.ai_batch_requests
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'ai_llm_request' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.ai_llm_requests
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'job_gateway' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.job_gateway_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'job_orchestrator' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.job_orchestrator_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'job_payment' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.job_payment_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'job_auth' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.job_auth_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'worker_lifecycle' AS type, raw_event_uid, source_topic, source_partition, source_offset, -1 AS weight
    FROM livepeer_analytics.worker_lifecycle_events
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
)
GROUP BY type, raw_event_uid, source_topic, source_partition, source_offset
HAVING events_without_rows != 0
