-- The facts of some sessions: times that events gave them, and which events.
SELECT *
FROM $database.fact_workflow_sessions
WHERE workflow_session_id IN {ids:Array(String)}
