SELECT
    time,
    countIf(stage = 'status') AS status,
    countIf(stage = 'trace') AS trace,
    uniqExactIf((org, event), stage = 'capability') AS capability
FROM
(
    SELECT 'status' AS stage, org, toStartOfInterval(sample_ts, INTERVAL 60000 MILLISECOND) AS time, source_event_uid AS event
    FROM fact_stream_status_samples
    WHERE $__timeFilter(sample_ts)
    UNION ALL
    SELECT 'trace', org, toStartOfInterval(edge_ts, INTERVAL 60000 MILLISECOND), source_event_uid
    FROM fact_stream_trace_edges
    WHERE $__timeFilter(edge_ts)
    UNION ALL
    SELECT 'capability', org, toStartOfInterval(snapshot_ts, INTERVAL 60000 MILLISECOND), source_event_uid
    FROM dim_orchestrator_capability_snapshots
    WHERE $__timeFilter(snapshot_ts)
)
GROUP BY time
ORDER BY time
