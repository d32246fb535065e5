-- Rows of two orgs never replace each other. Rows that are there are of no org, or of one by its column alone until their
-- facts are rebuilt.
ALTER TABLE livepeer_analytics.fact_workflow_sessions_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (workflow_session_id, org_key);
ALTER TABLE livepeer_analytics.fact_workflow_session_segments_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (workflow_session_id, segment_index, org_key);
ALTER TABLE livepeer_analytics.fact_workflow_param_updates_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (toStartOfHour(update_ts), workflow_session_id, source_event_uid, org_key);
ALTER TABLE livepeer_analytics.fact_lifecycle_edge_coverage_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (toStartOfHour(signal_ts), workflow_session_id, source_event_uid, org_key);
ALTER TABLE livepeer_analytics.fact_workflow_latency_samples_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (workflow_session_id, org_key);
ALTER TABLE livepeer_analytics.fact_stream_status_samples_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (toStartOfHour(sample_ts), workflow_session_id, source_event_uid, org_key);
ALTER TABLE livepeer_analytics.fact_stream_trace_edges_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (toStartOfHour(edge_ts), workflow_session_id, source_event_uid, org_key);
ALTER TABLE livepeer_analytics.fact_stream_ingest_samples_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (toStartOfHour(sample_ts), workflow_session_id, source_event_uid, org_key);
ALTER TABLE livepeer_analytics.fact_orchestrator_transport_bandwidth_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (toStartOfHour(sample_ts), orchestrator_address, gateway, source_sample_id, org_key);
ALTER TABLE livepeer_analytics.dim_orchestrator_capability_snapshots_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (orchestrator_address, orchestrator_url, pipeline, model_id, capability_id, ifNull(gpu_id, ''), snapshot_ts, source_event_uid, org_key);
ALTER TABLE livepeer_analytics.dim_orchestrator_capability_advertised_snapshots_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (orchestrator_address, orchestrator_url, capability_id, snapshot_ts, source_event_uid, org_key);
ALTER TABLE livepeer_analytics.dim_orchestrator_capability_model_constraints_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (orchestrator_address, orchestrator_url, capability_id, model_id, snapshot_ts, source_event_uid, org_key);
ALTER TABLE livepeer_analytics.dim_orchestrator_capability_prices_versions
    ADD COLUMN IF NOT EXISTS org_key LowCardinality(String) COMMENT 'the same as org: a sorting key takes in only columns that are added with it' AFTER org,
    MODIFY ORDER BY (orchestrator_address, orchestrator_url, capability_id, ifNull(constraint_name, ''), snapshot_ts, source_event_uid, org_key);
