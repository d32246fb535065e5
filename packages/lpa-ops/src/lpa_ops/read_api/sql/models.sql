-- What live video was offered within a day, per org and model, how much of it is used, and how well it works.
SELECT
    org,
    'live-video-to-video' AS pipeline,
    offer.model_id AS model,
    ifNull(warm_orch_count, 0) AS warm_orch_count,
    gpu_slots,
    ifNull(open.streams, 0) AS active_streams,
    greatest(toInt64(gpu_slots) - toInt64(active_streams), 0) AS available_capacity,
    performance.avg_fps AS avg_fps
FROM
(
    SELECT org, model_id, uniqExactIf((orchestrator_address, gpu_id), ifNull(gpu_id, '') != '') AS gpu_slots
    FROM dim_orchestrator_capability_snapshots
    WHERE snapshot_ts > fromUnixTimestamp64Milli({now:Int64} - 86400000, 'UTC')
        AND snapshot_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        AND pipeline = 'live-video-to-video'
        AND model_id != ''
        AND (NOT {org_wanted:Bool} OR org = {org:String})
    GROUP BY org, model_id
) AS offer
LEFT JOIN
(
    SELECT org, model_id, toNullable(countIf(warm > 0)) AS warm_orch_count
    FROM
    (
        SELECT org, model_id, orchestrator_address, argMax(warm, snapshot_ts) AS warm
        FROM dim_orchestrator_capability_model_constraints
        WHERE snapshot_ts > fromUnixTimestamp64Milli({now:Int64} - 86400000, 'UTC')
            AND snapshot_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        GROUP BY org, model_id, orchestrator_address
    )
    GROUP BY org, model_id
) AS state USING (org, model_id)
LEFT JOIN
(
    SELECT org, ifNull(model_id, '') AS model_id, uniqExact(workflow_session_id) AS streams
    FROM fact_stream_status_samples
    WHERE sample_ts > fromUnixTimestamp64Milli({now:Int64} - 1800000, 'UTC')
        AND sample_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        AND (org, workflow_session_id) NOT IN (
            SELECT org, workflow_session_id
            FROM fact_lifecycle_edge_coverage
            WHERE is_terminal_signal = 1
                AND signal_ts > fromUnixTimestamp64Milli({now:Int64} - 1800000, 'UTC')
                AND signal_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        )
    GROUP BY org, model_id
) AS open USING (org, model_id)
LEFT JOIN
(
    SELECT
        org,
        ifNull(model_id, '') AS model_id,
        toNullable(sum(finalizeAggregation(output_fps_avg_state) * sample_count) / sum(sample_count)) AS avg_fps
    FROM agg_session_performance_1h
    WHERE window_start > fromUnixTimestamp64Milli({now:Int64} - 86400000, 'UTC')
        AND window_start <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        AND pipeline = 'live-video-to-video'
    GROUP BY org, model_id
) AS performance USING (org, model_id)
ORDER BY warm_orch_count DESC, org, model
LIMIT {rows:UInt32}
