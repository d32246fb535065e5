-- severity: fail
-- covers: 67
-- meaning: v_api_network_demand_by_gpu has the samples, sessions and counts that samples and sessions make.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
WITH fallbacks AS
(
    SELECT window_start, org, gateway, orchestrator_address, region, pipeline, model_id, argMax(gpu_id, (session_start_ts,
        workflow_session_id)) AS latest_gpu_id
    FROM livepeer_analytics.v_session_outcomes
    WHERE gpu_id != '' AND window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY window_start, org, gateway, orchestrator_address, region, pipeline, model_id
)
SELECT window_start, org, gateway, orchestrator_address, region, pipeline, model_id, gpu_id, groupArray((source,
    counts)) AS found
FROM
(
    SELECT
        'view' AS source, window_start, org, gateway, orchestrator_address, region, pipeline, model_id, gpu_id,
        [
            status_samples, total_sessions, known_sessions, unexcused_sessions, swapped_sessions,
            zero_output_fps_sessions, loading_only_sessions, health_signal_count, health_expected_signal_count
        ] AS counts
    FROM livepeer_analytics.v_api_network_demand_by_gpu
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        'facts', window_start, org, gateway, orchestrator_address, region, pipeline, model_id, if(own_gpu_id != '',
            own_gpu_id, latest_gpu_id) AS gpu_id,
        arrayConcat([sum(samples), uniqExactIf(session, samples > 0)], sumForEach(of_session))
    FROM
    (
        SELECT
            toStartOfHour(sample_ts) AS window_start, org, gateway, orchestrator_address, ifNull(sample.region, '') AS region,
            pipeline, ifNull(sample.model_id, '') AS model_id, ifNull(sample.gpu_id, '') AS own_gpu_id,
            workflow_session_id AS session, 1 AS samples, arrayWithConstant(7, toUInt64(0)) AS of_session
        FROM livepeer_analytics.fact_stream_status_samples AS sample
        WHERE toStartOfHour(sample_ts) >= {start:DateTime('UTC')} AND toStartOfHour(sample_ts) < {end:DateTime('UTC')}
            AND is_attributed = 1
        UNION ALL
        SELECT
            window_start, org, gateway, orchestrator_address, region, pipeline, model_id, gpu_id, '', 0,
            [
                toUInt64(known_sessions), unexcused_sessions, swapped_sessions, zero_output_fps_sessions,
                loading_only_sessions, health_signal_count, health_expected_signal_count
            ]
        FROM livepeer_analytics.v_session_outcomes
        WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    ) AS evidence
    LEFT JOIN fallbacks USING (window_start, org, gateway, orchestrator_address, region, pipeline, model_id)
    GROUP BY window_start, org, gateway, orchestrator_address, region, pipeline, model_id, gpu_id
    HAVING sum(samples) > 0
)
GROUP BY window_start, org, gateway, orchestrator_address, region, pipeline, model_id, gpu_id
HAVING count() != 2 OR uniqExact(counts) != 1
SETTINGS join_use_nulls = 0
