SELECT *
FROM livepeer_analytics.fact_workflow_sessions
WHERE workflow_session_id = {session:String} AND ({of_all:UInt8} OR org = {org:String})
ORDER BY org
