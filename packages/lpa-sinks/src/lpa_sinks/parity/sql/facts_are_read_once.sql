-- severity: fail
-- covers: 16, 33, 34, 76
-- meaning: Every fact is read once, in one version: a session, a segment, the sample of an event, a job.
-- to do: lpa schema check: the sorting key or the engine of a <name>_versions table was changed; create the table
--   again and rebuild
SELECT fact, org, key, count() AS rows
FROM
(
    SELECT 'fact_workflow_sessions' AS fact, org, workflow_session_id AS key, toStartOfHour(session_start_ts) AS hour
    FROM livepeer_analytics.fact_workflow_sessions
    WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'fact_workflow_session_segments' AS fact, org, workflow_session_id || '#' || toString(segment_index) AS key,
        toStartOfHour(segment_start_ts) AS hour
    FROM livepeer_analytics.fact_workflow_session_segments
    WHERE segment_start_ts >= {start:DateTime('UTC')} AND segment_start_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'fact_workflow_latency_samples' AS fact, org, workflow_session_id AS key, toStartOfHour(sample_ts) AS hour
    FROM livepeer_analytics.fact_workflow_latency_samples
    WHERE sample_ts >= {start:DateTime('UTC')} AND sample_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'fact_stream_status_samples' AS fact, org, workflow_session_id || '#' || source_event_uid AS key,
        toStartOfHour(sample_ts) AS hour
    FROM livepeer_analytics.fact_stream_status_samples
    WHERE sample_ts >= {start:DateTime('UTC')} AND sample_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'fact_stream_trace_edges' AS fact, org, workflow_session_id || '#' || source_event_uid AS key,
        toStartOfHour(edge_ts) AS hour
    FROM livepeer_analytics.fact_stream_trace_edges
    WHERE edge_ts >= {start:DateTime('UTC')} AND edge_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'fact_stream_ingest_samples' AS fact, org, workflow_session_id || '#' || source_event_uid AS key,
        toStartOfHour(sample_ts) AS hour
    FROM livepeer_analytics.fact_stream_ingest_samples
    WHERE sample_ts >= {start:DateTime('UTC')} AND sample_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'fact_workflow_param_updates' AS fact, org, workflow_session_id || '#' || source_event_uid AS key,
        toStartOfHour(update_ts) AS hour
    FROM livepeer_analytics.fact_workflow_param_updates
    WHERE update_ts >= {start:DateTime('UTC')} AND update_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'fact_lifecycle_edge_coverage' AS fact, org, workflow_session_id || '#' || source_event_uid AS key,
        toStartOfHour(signal_ts) AS hour
    FROM livepeer_analytics.fact_lifecycle_edge_coverage
    WHERE signal_ts >= {start:DateTime('UTC')} AND signal_ts < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'fact_jobs' AS fact, org, job_id AS key, toStartOfHour(first_event_timestamp) AS hour
    FROM livepeer_analytics.fact_jobs
    WHERE first_event_timestamp >= {start:DateTime('UTC')} AND first_event_timestamp < {end:DateTime('UTC')}
)
GROUP BY fact, org, key, if(fact IN ('fact_jobs', 'fact_workflow_sessions', 'fact_workflow_session_segments',
    'fact_workflow_latency_samples'), toDateTime(0, 'UTC'), hour)
HAVING rows > 1
