-- Jobs by full hour before now and by pipeline, or by capability.
SELECT
    dateDiff('hour', at, toStartOfHour(fromUnixTimestamp64Milli({now:Int64}, 'UTC'))) AS hours_ago, asked_for AS pipeline,
    count() AS requested
FROM
(
    SELECT
        toStartOfHour(coalesce(received_at, completed_at)) AS at,
        if(job.pipeline != '', job.pipeline, capability) AS asked_for
    FROM livepeer_analytics.fact_jobs AS job
)
WHERE at >= toStartOfHour(fromUnixTimestamp64Milli({now:Int64}, 'UTC')) - toIntervalHour({hours:UInt8})
    AND at < toStartOfHour(fromUnixTimestamp64Milli({now:Int64}, 'UTC'))
GROUP BY hours_ago, pipeline
