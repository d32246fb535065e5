-- severity: fail or warn
-- covers: 26
-- meaning: Attributed samples have the pipeline and model of their session; a session that changed models may
--   differ in part (warn), but not all sessions in all samples (fail).
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
WITH mismatched AS
(
    SELECT
        session.org AS org,
        session.workflow_session_id AS workflow_session_id,
        any(session.pipeline) AS pipeline,
        any(ifNull(session.model_id, '')) AS model_id,
        count() AS samples,
        countIf(
            sample.pipeline != session.pipeline
                OR lower(ifNull(sample.model_id, '')) != lower(ifNull(session.model_id, ''))
        ) AS other
    FROM livepeer_analytics.fact_stream_status_samples AS sample
    INNER JOIN livepeer_analytics.fact_workflow_sessions AS session ON session.org = sample.org AND session.workflow_session_id = sample.workflow_session_id
    WHERE sample.sample_ts >= {start:DateTime('UTC')} AND sample.sample_ts < {end:DateTime('UTC')}
        AND sample.is_attributed = 1
    GROUP BY session.org, session.workflow_session_id
)
SELECT
    if((SELECT sum(samples) = sum(other) FROM mismatched), 'fail', 'warn') AS severity,
    org, workflow_session_id, pipeline, model_id, samples, other
FROM mismatched
WHERE other > 0
