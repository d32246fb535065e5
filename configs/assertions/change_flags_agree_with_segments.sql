-- severity: fail
-- covers: 30
-- meaning: A session whose segments have more than one model or pipeline says so.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT session.org, session.workflow_session_id, session.has_model_change, session.has_pipeline_change, segment.models,
    segment.pipelines
FROM livepeer_analytics.fact_workflow_sessions AS session
INNER JOIN
(
    SELECT
        org,
        workflow_session_id,
        -- White space around a model does not make it another one.
        uniqExactIf(
            lower(replaceRegexpAll(assumeNotNull(model_id), '^[\\s\\p{Z}]+|[\\s\\p{Z}]+$', '')), ifNull(model_id, '') != ''
        ) AS models,
        uniqExactIf(lower(pipeline), pipeline != '') AS pipelines
    FROM livepeer_analytics.fact_workflow_session_segments
    GROUP BY org, workflow_session_id
) AS segment ON segment.org = session.org AND segment.workflow_session_id = session.workflow_session_id
WHERE session.session_start_ts >= {start:DateTime('UTC')} AND session.session_start_ts < {end:DateTime('UTC')}
    AND ((models > 1 AND has_model_change = 0) OR (pipelines > 1 AND has_pipeline_change = 0))
