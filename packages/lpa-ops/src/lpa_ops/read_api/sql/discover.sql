-- Who offers a pipeline, per org and URL, and how well they served it in the last two hours. The best come first.
SELECT
    offer.org AS org,
    offer.orchestrator_url AS address,
    pipeline,
    multiIf(
        sum(score.sessions) > 0, sum(score.points) / sum(score.sessions) / 100,
        sum(work.ended) > 0, sum(work.succeeded) / sum(work.ended),
        0
    ) AS score,
    any(models) AS capabilities,
    any(seen) AS last_seen,
    CAST(sum(score.sessions) + sum(work.ended) > 0, 'Bool') AS recent_work
FROM
(
    SELECT
        org,
        orchestrator_url,
        pipeline,
        arrayJoin(groupUniqArray(orchestrator_address)) AS orchestrator_address,
        arraySort(groupUniqArray(pipeline || '/' || model_id)) AS models,
        max(snapshot_ts) AS seen
    FROM dim_orchestrator_capability_snapshots
    WHERE snapshot_ts > fromUnixTimestamp64Milli({now:Int64} - {seen_ms:Int64}, 'UTC')
        AND snapshot_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        AND orchestrator_url != ''
        AND (NOT {org_wanted:Bool} OR org = {org:String})
        AND (empty({caps:Array(String)}) OR has({caps:Array(String)}, pipeline || '/' || model_id))
    GROUP BY org, orchestrator_url, pipeline
) AS offer
LEFT JOIN
(
    SELECT
        org,
        orchestrator_address,
        pipeline,
        sum(sla_score * known_sessions) AS points,
        sumIf(known_sessions, sla_score IS NOT NULL) AS sessions
    FROM v_sla_hours
    WHERE window_start > fromUnixTimestamp64Milli({now:Int64} - 7200000, 'UTC')
        AND window_start <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    GROUP BY org, orchestrator_address, pipeline
) AS score USING (org, orchestrator_address, pipeline)
LEFT JOIN
(
    SELECT
        org,
        orchestrator_address,
        pipeline,
        sum(success) AS succeeded,
        sum(success + failed + stream_failed + no_orchestrator + lost) AS ended
    FROM v_job_outcomes
    WHERE window_start > fromUnixTimestamp64Milli({now:Int64} - 7200000, 'UTC')
        AND window_start <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        -- Some version of them lies in the window: the others need not be merged.
        AND job_id IN (
            SELECT job_id
            FROM fact_jobs_versions
            WHERE coalesce(received_at, completed_at) > fromUnixTimestamp64Milli({now:Int64} - 7200000, 'UTC')
        )
    GROUP BY org, orchestrator_address, pipeline
) AS work USING (org, orchestrator_address, pipeline)
GROUP BY org, address, pipeline
ORDER BY score DESC, org, address, pipeline
LIMIT {rows:UInt32}
