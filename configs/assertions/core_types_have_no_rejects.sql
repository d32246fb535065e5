-- severity: info
-- covers: 3
-- meaning: Rejects among the four stream types. Expected in production, not in a run on fixtures.
-- to do: lpa triage shows why
SELECT rejects, event_type, failure_class, failure_reason, count() AS records
FROM
(
    SELECT 'dlq' AS rejects, event_type, failure_class, failure_reason
    FROM livepeer_analytics.streaming_events_dlq
    WHERE ingestion_timestamp >= {start:DateTime('UTC')} AND ingestion_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'quarantine', event_type, failure_class, failure_reason
    FROM livepeer_analytics.streaming_events_quarantine
    WHERE ingestion_timestamp >= {start:DateTime('UTC')} AND ingestion_timestamp < {end:DateTime('UTC')}
)
WHERE event_type IN ('ai_stream_status', 'stream_ingest_metrics', 'stream_trace', 'ai_stream_events')
GROUP BY rejects, event_type, failure_class, failure_reason
