-- severity: fail
-- covers: 27
-- meaning: An attributed sample has the orchestrator, pipeline, model and GPU of a segment that its time lies in.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT sample.workflow_session_id AS workflow_session_id, sample.sample_ts AS sample_ts,
    sample.source_event_uid AS source_event_uid
FROM livepeer_analytics.fact_stream_status_samples AS sample
LEFT JOIN livepeer_analytics.fact_workflow_session_segments AS segment ON segment.workflow_session_id = sample.workflow_session_id
WHERE sample.sample_ts >= {start:DateTime('UTC')} AND sample.sample_ts < {end:DateTime('UTC')}
    AND sample.is_attributed = 1
GROUP BY workflow_session_id, sample_ts, source_event_uid
HAVING countIf(
    segment.segment_start_ts <= sample.sample_ts AND ifNull(segment.segment_end_ts >= sample.sample_ts, 1)
    AND segment.orchestrator_address = sample.orchestrator_address
    AND (segment.pipeline = sample.pipeline OR (sample.pipeline = '' AND lower(segment.pipeline) = lower(ifNull(segment.model_id, ''))))
    AND ifNull(segment.model_id, '') = ifNull(sample.model_id, '')
    AND ifNull(segment.gpu_id, '') = ifNull(sample.gpu_id, '')
) = 0
SETTINGS join_use_nulls = 0
