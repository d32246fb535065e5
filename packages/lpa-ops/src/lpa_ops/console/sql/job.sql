SELECT *
FROM livepeer_analytics.fact_jobs
WHERE job_id = {job:String} AND ({of_all:UInt8} OR org = {org:String})
ORDER BY org
