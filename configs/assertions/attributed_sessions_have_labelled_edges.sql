-- severity: fail or warn
-- covers: 31
-- meaning: Attributed sessions with edges have one with pipeline and model; it is a failure if none of them has.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
WITH sessions AS
(
    SELECT
        session.org AS org,
        session.workflow_session_id AS workflow_session_id,
        max(edge.pipeline != '' AND ifNull(edge.model_id, '') != '') AS covered
    FROM livepeer_analytics.fact_workflow_sessions AS session
    INNER JOIN livepeer_analytics.fact_stream_trace_edges AS edge ON edge.org = session.org AND edge.workflow_session_id = session.workflow_session_id
    WHERE session.session_start_ts >= {start:DateTime('UTC')} AND session.session_start_ts < {end:DateTime('UTC')}
        AND session.orchestrator_address != ''
    GROUP BY session.org, session.workflow_session_id
)
SELECT if((SELECT max(covered) FROM sessions) = 0, 'fail', 'warn') AS severity, org, workflow_session_id
FROM sessions
WHERE covered = 0
