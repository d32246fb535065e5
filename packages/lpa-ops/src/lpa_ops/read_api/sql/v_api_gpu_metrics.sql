-- A page of the view but for its labels, after a row of which the hour and the keys are known.
SELECT * REPLACE (nullIf(hour.model_id, '') AS model_id, nullIf(hour.region, '') AS region)
FROM v_gpu_hours AS hour
WHERE window_start >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND window_start < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND (NOT {org_wanted:Bool} OR org = {org:String})
    AND (
        window_start < fromUnixTimestamp64Milli({after_hour:Int64}, 'UTC')
        OR (org, orchestrator_address, pipeline, ifNull(model_id, ''), gpu_id, ifNull(region, ''))
            > ({after_0:String}, {after_1:String}, {after_2:String}, {after_3:String}, {after_4:String}, {after_5:String})
    )
ORDER BY window_start DESC, org, orchestrator_address, pipeline, ifNull(model_id, ''), gpu_id, ifNull(region, '')
LIMIT {rows:UInt32}
