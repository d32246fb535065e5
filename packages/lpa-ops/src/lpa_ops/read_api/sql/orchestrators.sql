-- Who offered live video within a day. Those with most GPUs come first.
SELECT
    org,
    orchestrator_address AS address,
    argMax(orchestrator_url, snapshot_ts) AS uri,
    arraySort(groupUniqArray(model_id)) AS models,
    uniqExactIf(gpu_id, ifNull(gpu_id, '') != '') AS gpu_count,
    max(snapshot_ts) AS last_seen
FROM dim_orchestrator_capability_snapshots
WHERE snapshot_ts > fromUnixTimestamp64Milli({now:Int64} - 86400000, 'UTC')
    AND snapshot_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    AND pipeline = 'live-video-to-video'
    AND model_id != ''
    AND (NOT {org_wanted:Bool} OR org = {org:String})
GROUP BY org, orchestrator_address
ORDER BY gpu_count DESC, org, address
LIMIT {rows:UInt32}
