SELECT * FROM livepeer_analytics.fact_workflow_sessions WHERE workflow_session_id = {session:String}
