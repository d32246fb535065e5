SELECT time, kind, what, gateway, orchestrator_address, stream_id
FROM
(
    SELECT sample_ts AS time, 'status' AS kind, state AS what, gateway, orchestrator_address, stream_id
    FROM fact_stream_status_samples
    WHERE sample_ts >= $__toTime - INTERVAL 30 MINUTE AND sample_ts <= $__toTime
    UNION ALL
    SELECT edge_ts, 'trace', trace_type, gateway, orchestrator_address, stream_id
    FROM fact_stream_trace_edges
    WHERE edge_ts >= $__toTime - INTERVAL 30 MINUTE AND edge_ts <= $__toTime
)
ORDER BY time DESC
LIMIT 100
