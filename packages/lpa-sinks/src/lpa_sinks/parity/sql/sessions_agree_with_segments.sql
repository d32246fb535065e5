-- severity: fail
-- covers: 24
-- meaning: The model of an attributed session is that of one of its segments, where both are set.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT session.org, session.workflow_session_id, session.model_id, segment.models
FROM livepeer_analytics.fact_workflow_sessions AS session
INNER JOIN
(
    SELECT org, workflow_session_id, groupUniqArrayIf(lower(assumeNotNull(model_id)), ifNull(model_id, '') != '') AS models
    FROM livepeer_analytics.fact_workflow_session_segments
    GROUP BY org, workflow_session_id
) AS segment ON segment.org = session.org AND segment.workflow_session_id = session.workflow_session_id
WHERE session.session_start_ts >= {start:DateTime('UTC')} AND session.session_start_ts < {end:DateTime('UTC')}
    AND session.gpu_attribution_method != 'none'
    AND ifNull(session.model_id, '') != '' AND notEmpty(segment.models)
    AND NOT has(segment.models, lower(assumeNotNull(session.model_id)))
