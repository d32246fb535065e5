-- How many orchestrators said what they can do: in the window, and in the one before it.
SELECT
    uniqExactIf((org, orchestrator_address), snapshot_ts >= fromUnixTimestamp64Milli({middle:Int64}, 'UTC')) AS observed,
    uniqExactIf((org, orchestrator_address), snapshot_ts < fromUnixTimestamp64Milli({middle:Int64}, 'UTC')) AS observed_before
FROM dim_orchestrator_capability_snapshots
WHERE snapshot_ts >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND snapshot_ts < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND (NOT {org_wanted:Bool} OR org = {org:String})
    AND (NOT {pipeline_wanted:Bool} OR pipeline = {pipeline:String})
    AND (NOT {model_wanted:Bool} OR model_id = {model:String})
