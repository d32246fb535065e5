-- A page of the view, after a row of which the hour and the keys are known.
SELECT *
FROM v_api_network_demand
WHERE window_start >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND window_start < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND (NOT {org_wanted:Bool} OR org = {org:String})
    AND (
        window_start < fromUnixTimestamp64Milli({after_hour:Int64}, 'UTC')
        OR (org, gateway, region, pipeline, model_id)
            > ({after_0:String}, {after_1:String}, {after_2:String}, {after_3:String}, {after_4:String})
    )
ORDER BY window_start DESC, org, gateway, region, pipeline, model_id
LIMIT {rows:UInt32}
