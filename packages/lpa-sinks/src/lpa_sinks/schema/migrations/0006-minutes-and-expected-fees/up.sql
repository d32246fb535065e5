-- A status comes every 10 seconds. Demand shows what tickets are worth, which v_request_fees says by now.
--
-- differs: v_api_network_demand: minutes were a tenth of what they are, and times after 2106 have hours of their own
-- differs: v_api_network_demand_by_gpu: minutes were a tenth of what they are, and times after 2106 have hours of their own

CREATE OR REPLACE VIEW livepeer_analytics.v_api_network_demand
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    gateway String,
    region String COMMENT 'empty: not known',
    pipeline String COMMENT 'empty: not known; that of the other sessions of the hour, gateway and model where they agree',
    model_id String COMMENT 'empty: not known',
    total_sessions UInt64 COMMENT 'distinct sessions with samples',
    total_streams UInt64 COMMENT 'distinct streams with samples',
    status_samples UInt64,
    total_minutes Float64 COMMENT 'status samples by 6: there is one every 10 seconds',
    avg_output_fps Nullable(Float64) COMMENT 'frames per second',
    known_sessions UInt64 COMMENT 'sessions with a stream request',
    served_sessions UInt64 COMMENT 'known, with an orchestrator',
    unserved_sessions UInt64 COMMENT 'known, without an orchestrator',
    total_demand_sessions UInt64 COMMENT 'served and unserved',
    unexcused_sessions UInt64,
    confirmed_swapped_sessions UInt64,
    inferred_orchestrator_change_sessions UInt64,
    swapped_sessions UInt64,
    sessions_with_errors UInt64,
    sessions_with_last_error UInt64,
    loading_only_sessions UInt64,
    zero_output_fps_sessions UInt64,
    effective_failed_sessions UInt64 COMMENT 'unexcused, zero output or loading only',
    status_error_samples UInt64,
    health_signal_count UInt64,
    health_expected_signal_count UInt64,
    health_completeness_ratio Float64 COMMENT 'signals by expected signals of known sessions, at most 1; 1 without any',
    missing_capacity_count UInt64 COMMENT 'the same as unserved_sessions',
    startup_success_ratio Nullable(Float64) COMMENT '1 - unexcused by known sessions',
    success_ratio Nullable(Float64) COMMENT '1 - effectively failed by known sessions, both known',
    fee_payment_eth Float64 COMMENT 'ETH: one face value a payment, as the reference counts',
    expected_fee_eth Float64 COMMENT 'ETH: what the tickets are worth on average'
)
AS SELECT
    window_start,
    gateway,
    region,
    pipeline,
    model_id,
    total_sessions,
    total_streams,
    status_samples,
    status_samples / 6 AS total_minutes,
    avg_output_fps,
    counts[1] AS known_sessions,
    counts[2] AS served_sessions,
    counts[3] AS unserved_sessions,
    served_sessions + unserved_sessions AS total_demand_sessions,
    counts[4] AS unexcused_sessions,
    counts[5] AS confirmed_swapped_sessions,
    counts[6] AS inferred_orchestrator_change_sessions,
    counts[7] AS swapped_sessions,
    counts[8] AS sessions_with_errors,
    counts[9] AS sessions_with_last_error,
    counts[10] AS loading_only_sessions,
    counts[11] AS zero_output_fps_sessions,
    counts[12] AS effective_failed_sessions,
    counts[13] AS status_error_samples,
    counts[14] AS health_signal_count,
    counts[15] AS health_expected_signal_count,
    ifNull(least(1., counts[16] / nullIf(health_expected_signal_count, 0)), 1.) AS health_completeness_ratio,
    unserved_sessions AS missing_capacity_count,
    1 - unexcused_sessions / nullIf(known_sessions, 0) AS startup_success_ratio,
    1 - counts[17] / nullIf(known_sessions, 0) AS success_ratio,
    fee_payment_eth,
    expected_fee_eth
FROM
(
    SELECT
        window_start,
        if(has_evidence, labelled.gateway, '') AS gateway,
        if(has_evidence, labelled.region, '') AS region,
        if(has_evidence, labelled.pipeline, '') AS pipeline,
        if(has_evidence, labelled.model_id, '') AS model_id,
        uniqExactMerge(sessions) AS total_sessions,
        uniqExactMerge(streams) AS total_streams,
        sum(labelled.status_samples) AS status_samples,
        sum(output_fps_sum) / nullIf(status_samples, 0) AS avg_output_fps,
        sumForEach(labelled.counts) AS counts,
        toFloat64(sum(wei)) / 1e18 AS fee_payment_eth,
        toFloat64(sum(expected_wei)) / 1e18 AS expected_fee_eth
    FROM
    (
        SELECT
            *,
            if(own_pipeline != '' OR only_pipeline != last_pipeline, own_pipeline, only_pipeline) AS pipeline,
            max(evidence) OVER (PARTITION BY window_start, gateway, region, model_id, pipeline) AS has_evidence
        FROM
        (
            SELECT
                *,
                minIf(session_pipeline, session_pipeline != '')
                    OVER (PARTITION BY window_start, gateway, region, model_id) AS only_pipeline,
                max(session_pipeline) OVER (PARTITION BY window_start, gateway, region, model_id) AS last_pipeline
            FROM
            (
                SELECT
                    window_start, gateway, region, model_id, own_pipeline,
                    max(source != 'fees') AS evidence,
                    maxIf(own_pipeline, source = 'sessions') AS session_pipeline,
                    uniqExactStateIf(workflow_session_id, source = 'samples') AS sessions,
                    uniqExactStateIf(stream_id, source = 'samples') AS streams,
                    sum(block.status_samples) AS status_samples,
                    sum(block.output_fps_sum) AS output_fps_sum,
                    sumForEach(block.counts) AS counts,
                    sum(block.wei) AS wei,
                    sum(block.expected_wei) AS expected_wei
                FROM
                (
                    SELECT
                        'samples' AS source,
                        hour.window_start AS window_start,
                        gateway,
                        ifNull(hour.region, '') AS region,
                        ifNull(hour.model_id, '') AS model_id,
                        if(lower(pipeline) = lower(model_id), '', pipeline) AS own_pipeline,
                        workflow_session_id,
                        stream_id,
                        toUInt64(sample_count) AS status_samples,
                        finalizeAggregation(output_fps_avg_state) * sample_count AS output_fps_sum,
                        CAST([], 'Array(UInt64)') AS counts,
                        toUInt256(0) AS wei,
                        toUInt256(0) AS expected_wei
                    FROM livepeer_analytics.agg_session_performance_1h AS hour
                    WHERE hour.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
                    UNION ALL
                    SELECT
                        'sessions', window_start, gateway, region, model_id,
                        if(lower(pipeline) = lower(model_id), '', pipeline) AS own_pipeline,
                        '', '', 0, 0,
                        sumForEach([
                            known_sessions, known_sessions AND orchestrator_address != '', known_sessions AND
                            orchestrator_address = '', unexcused_sessions, confirmed_swapped_sessions,
                            inferred_orchestrator_change_sessions, swapped_sessions, sessions_with_errors,
                            sessions_with_last_error, loading_only_sessions, zero_output_fps_sessions,
                            effective_failed_sessions, status_error_samples, health_signal_count,
                            health_expected_signal_count, known_health_signal_count, known_effective_failed_sessions
                        ]),
                        0, 0
                    FROM livepeer_analytics.v_session_outcomes
                    GROUP BY window_start, gateway, region, model_id, own_pipeline
                    UNION ALL
                    SELECT
                        'fees', window_start, gateway, region, model_id,
                        if(lower(pipeline) = lower(model_id), '', pipeline) AS own_pipeline,
                        '', '', 0, 0, [], sum(face_value_wei), sum(expected_fee_wei)
                    FROM livepeer_analytics.v_request_fees
                    GROUP BY window_start, gateway, region, model_id, own_pipeline
                ) AS block
                GROUP BY window_start, gateway, region, model_id, own_pipeline
            )
        )
    ) AS labelled
    GROUP BY window_start, gateway, region, pipeline, model_id
);

CREATE OR REPLACE VIEW livepeer_analytics.v_api_network_demand_by_gpu
(
    window_start DateTime64(3, 'UTC') COMMENT 'start of the hour',
    gateway String,
    orchestrator_address String COMMENT 'canonical wallet, lower-case',
    region String COMMENT 'empty: not known',
    pipeline String,
    model_id String COMMENT 'empty: not known',
    gpu_id String COMMENT 'empty: not known',
    gpu_type String COMMENT 'name of the GPU; unknown: no snapshot names it',
    total_sessions UInt64 COMMENT 'distinct sessions with samples',
    total_streams UInt64 COMMENT 'distinct streams with samples',
    status_samples UInt64,
    used_inference_minutes Float64 COMMENT 'status samples by 6: there is one every 10 seconds',
    inference_minutes_by_gpu_type Float64 COMMENT 'the same as used_inference_minutes',
    available_capacity_minutes Float64 COMMENT 'minutes: what the orchestrator says now of the model, for all its GPUs, times 60',
    capacity_rate Float64 COMMENT 'used by available minutes; 0 if none are known',
    known_sessions UInt64 COMMENT 'sessions with a stream request',
    unexcused_sessions UInt64,
    confirmed_swapped_sessions UInt64,
    inferred_orchestrator_change_sessions UInt64,
    swapped_sessions UInt64,
    sessions_with_errors UInt64,
    sessions_with_last_error UInt64,
    loading_only_sessions UInt64,
    zero_output_fps_sessions UInt64,
    status_error_samples UInt64,
    health_signal_count UInt64,
    health_expected_signal_count UInt64,
    health_completeness_ratio Float64 COMMENT 'signals by expected signals of known sessions, at most 1; 1 without any',
    missing_capacity_count UInt64 COMMENT 'the same as unexcused_sessions',
    fee_payment_eth Float64 COMMENT 'ETH: one face value a payment, as the reference counts',
    expected_fee_eth Float64 COMMENT 'ETH: what the tickets are worth on average'
)
AS SELECT
    window_start,
    gateway,
    orchestrator_address,
    region,
    pipeline,
    model_id,
    gpu_id,
    ifNull(label.gpu_name, 'unknown') AS gpu_type,
    total_sessions,
    total_streams,
    status_samples,
    status_samples / 6 AS used_inference_minutes,
    used_inference_minutes AS inference_minutes_by_gpu_type,
    ifNull(constraint.capacity, 0) * 60. AS available_capacity_minutes,
    ifNull(used_inference_minutes / nullIf(available_capacity_minutes, 0), 0.) AS capacity_rate,
    counts[1] AS known_sessions,
    counts[2] AS unexcused_sessions,
    counts[3] AS confirmed_swapped_sessions,
    counts[4] AS inferred_orchestrator_change_sessions,
    counts[5] AS swapped_sessions,
    counts[6] AS sessions_with_errors,
    counts[7] AS sessions_with_last_error,
    counts[8] AS loading_only_sessions,
    counts[9] AS zero_output_fps_sessions,
    counts[10] AS status_error_samples,
    counts[11] AS health_signal_count,
    counts[12] AS health_expected_signal_count,
    ifNull(least(1., counts[13] / nullIf(health_expected_signal_count, 0)), 1.) AS health_completeness_ratio,
    unexcused_sessions AS missing_capacity_count,
    fee_payment_eth,
    expected_fee_eth
FROM
(
    SELECT
        window_start, gateway, orchestrator_address, region, pipeline, model_id,
        if(own_gpu_id != '', own_gpu_id, latest_gpu_id) AS gpu_id,
        uniqExactIf(workflow_session_id, source = 'samples') AS total_sessions,
        uniqExactIf(stream_id, source = 'samples') AS total_streams,
        sum(block.status_samples) AS status_samples,
        sumForEach(block.counts) AS counts,
        toFloat64(sum(block.wei)) / 1e18 AS fee_payment_eth,
        toFloat64(sum(block.expected_wei)) / 1e18 AS expected_fee_eth
    FROM
    (
        SELECT
            'samples' AS source,
            hour.window_start AS window_start,
            gateway,
            orchestrator_address,
            ifNull(hour.region, '') AS region,
            pipeline,
            ifNull(hour.model_id, '') AS model_id,
            ifNull(hour.gpu_id, '') AS own_gpu_id,
            workflow_session_id,
            stream_id,
            toUInt64(sample_count) AS status_samples,
            CAST([], 'Array(UInt64)') AS counts,
            toUInt256(0) AS wei,
            toUInt256(0) AS expected_wei
        FROM livepeer_analytics.agg_session_performance_1h AS hour
        WHERE hour.window_start >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC') AND orchestrator_address != ''
        UNION ALL
        SELECT
            'sessions', window_start, gateway, orchestrator_address, region, pipeline, model_id, gpu_id, '', '', 0,
            [
                known_sessions, unexcused_sessions, confirmed_swapped_sessions, inferred_orchestrator_change_sessions,
                swapped_sessions, sessions_with_errors, sessions_with_last_error, loading_only_sessions,
                zero_output_fps_sessions, status_error_samples, health_signal_count, health_expected_signal_count,
                known_health_signal_count
            ],
            0, 0
        FROM livepeer_analytics.v_session_outcomes
        WHERE orchestrator_address != ''
        UNION ALL
        SELECT
            'fees', window_start, gateway, orchestrator_address, region, pipeline, model_id, gpu_id, '', '', 0, [],
            face_value_wei, expected_fee_wei
        FROM livepeer_analytics.v_request_fees
        WHERE orchestrator_address != ''
    ) AS block
    LEFT JOIN
    (
        SELECT
            window_start, gateway, orchestrator_address, region, pipeline, model_id,
            argMax(gpu_id, (session_start_ts, workflow_session_id)) AS latest_gpu_id
        FROM livepeer_analytics.v_session_outcomes
        WHERE orchestrator_address != '' AND gpu_id != ''
        GROUP BY window_start, gateway, orchestrator_address, region, pipeline, model_id
    ) AS fallback USING (window_start, gateway, orchestrator_address, region, pipeline, model_id)
    GROUP BY window_start, gateway, orchestrator_address, region, pipeline, model_id, gpu_id
    HAVING status_samples > 0
) AS key
LEFT JOIN livepeer_analytics.v_gpu_labels AS label USING (orchestrator_address, model_id, gpu_id)
LEFT JOIN
(
    SELECT
        orchestrator_address,
        model_id,
        argMax(latest.capacity, (snapshot_ts, source_event_uid, capability_id)) AS capacity
    FROM livepeer_analytics.dim_orchestrator_capability_model_constraints AS latest
    GROUP BY orchestrator_address, model_id
) AS constraint USING (orchestrator_address, model_id)
SETTINGS join_use_nulls = 0;
