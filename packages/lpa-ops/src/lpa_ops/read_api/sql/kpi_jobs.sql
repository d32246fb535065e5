-- Jobs of each type that were received in the window, and in the one before it: all, those that ended, those that succeeded.
SELECT
    job_type,
    countIf(window_start >= fromUnixTimestamp64Milli({middle:Int64}, 'UTC')) AS received,
    sumIf(ended, window_start >= fromUnixTimestamp64Milli({middle:Int64}, 'UTC')) AS all_ended,
    sumIf(success, window_start >= fromUnixTimestamp64Milli({middle:Int64}, 'UTC')) AS succeeded,
    countIf(window_start < fromUnixTimestamp64Milli({middle:Int64}, 'UTC')) AS received_before,
    sumIf(ended, window_start < fromUnixTimestamp64Milli({middle:Int64}, 'UTC')) AS all_ended_before,
    sumIf(success, window_start < fromUnixTimestamp64Milli({middle:Int64}, 'UTC')) AS succeeded_before
FROM
(
    SELECT
        window_start, job_type, success,
        success + failed + stream_failed + no_orchestrator + lost AS ended
    FROM v_job_outcomes
    WHERE window_start >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND window_start < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
        -- Some version of them lies in the window: the others need not be merged. To look for them pays if the window is short.
        AND ({long:Bool} OR job_id IN (
            SELECT job_id
            FROM fact_jobs_versions
            WHERE coalesce(received_at, completed_at) >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
                AND coalesce(received_at, completed_at) < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
        ))
        AND (NOT {org_wanted:Bool} OR org = {org:String})
        AND (NOT {pipeline_wanted:Bool} OR pipeline = {pipeline:String})
        AND (NOT {model_wanted:Bool} OR model_id = {model:String})
)
GROUP BY job_type
