-- Facts say whether an orchestrator was found, why, and who could have been meant. Facts of before say it once rebuilt.
ALTER TABLE livepeer_analytics.fact_workflow_sessions_versions
    ADD COLUMN IF NOT EXISTS attribution_status LowCardinality(String) COMMENT 'resolved, hardware_less, stale, ambiguous or unresolved' AFTER gpu_attribution_confidence,
    ADD COLUMN IF NOT EXISTS attribution_reason LowCardinality(String) COMMENT 'why it has that status' AFTER attribution_status,
    ADD COLUMN IF NOT EXISTS attribution_candidates String COMMENT 'wallet@url of those that could be meant, joined by commas; empty unless ambiguous' AFTER attribution_reason;
ALTER TABLE livepeer_analytics.fact_workflow_session_segments_versions
    ADD COLUMN IF NOT EXISTS attribution_status LowCardinality(String) COMMENT 'resolved, hardware_less, stale, ambiguous or unresolved' AFTER gpu_attribution_confidence,
    ADD COLUMN IF NOT EXISTS attribution_reason LowCardinality(String) COMMENT 'why it has that status' AFTER attribution_status,
    ADD COLUMN IF NOT EXISTS attribution_candidates String COMMENT 'wallet@url of those that could be meant, joined by commas; empty unless ambiguous' AFTER attribution_reason;
ALTER TABLE livepeer_analytics.fact_stream_status_samples_versions
    ADD COLUMN IF NOT EXISTS attribution_status LowCardinality(String) COMMENT 'resolved, hardware_less, stale, ambiguous or unresolved' AFTER gpu_attribution_confidence,
    ADD COLUMN IF NOT EXISTS attribution_reason LowCardinality(String) COMMENT 'why it has that status' AFTER attribution_status,
    ADD COLUMN IF NOT EXISTS attribution_candidates String COMMENT 'wallet@url of those that could be meant, joined by commas; empty unless ambiguous' AFTER attribution_reason;

CREATE OR REPLACE VIEW livepeer_analytics.fact_workflow_sessions AS
SELECT
    org, workflow_session_id, workflow_type, workflow_id, stream_id, request_id, session_id, pipeline, gateway,
    orchestrator_address, orchestrator_url, model_id, gpu_id, region, has_model_change, has_pipeline_change,
    gpu_attribution_method, gpu_attribution_confidence, attribution_status, attribution_reason, attribution_candidates,
    session_start_ts, session_end_ts, known_stream, startup_success, startup_excused, startup_unexcused,
    confirmed_swap_count, inferred_orchestrator_change_count, swap_count, error_count, excusable_error_count,
    last_error_occurred, loading_only_session, zero_output_fps_session, status_sample_count, status_error_sample_count,
    health_signal_count, health_expected_signal_count, health_completeness_ratio, first_stream_request_ts,
    first_processed_ts, first_playable_ts, event_count, source_first_event_uid, source_last_event_uid,
    first_event_timestamp, last_event_timestamp, ingestion_timestamp, version
FROM livepeer_analytics.fact_workflow_sessions_versions FINAL;

CREATE OR REPLACE VIEW livepeer_analytics.fact_workflow_session_segments AS
SELECT
    org, workflow_session_id, segment_index, segment_start_ts, segment_end_ts, gateway, pipeline, orchestrator_address,
    orchestrator_url, worker_id, gpu_id, model_id, region, gpu_attribution_method, gpu_attribution_confidence,
    attribution_status, attribution_reason, attribution_candidates, reason, source_trace_type, source_event_uid,
    ingestion_timestamp, version
FROM livepeer_analytics.fact_workflow_session_segments_versions FINAL;

CREATE OR REPLACE VIEW livepeer_analytics.fact_stream_status_samples AS
SELECT
    sample_ts, org, workflow_session_id, stream_id, request_id, gateway, orchestrator_address, orchestrator_url,
    pipeline, model_id, gpu_id, region, state, output_fps, input_fps, is_attributed, gpu_attribution_method,
    gpu_attribution_confidence, attribution_status, attribution_reason, attribution_candidates, source_event_uid,
    ingestion_timestamp, version, sample_date
FROM livepeer_analytics.fact_stream_status_samples_versions FINAL;
