-- severity: fail
-- covers: 39, 51
-- meaning: v_api_gpu_metrics has the keys, samples and averages that samples, sessions and latency have, but for
--   terminal tails.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
WITH
    session_hours AS
    (
        SELECT
            toStartOfHour(sample_ts) AS window_start, org, workflow_session_id, orchestrator_address, pipeline,
            ifNull(sample.model_id, '') AS model_id, ifNull(sample.gpu_id, '') AS gpu_id, ifNull(sample.region,
                '') AS region,
            count() AS samples,
            countIf(output_fps > 0) AS with_output,
            countIf(state IN ('ONLINE', 'DEGRADED_INFERENCE', 'DEGRADED_INPUT')) AS running,
            sum(output_fps) AS fps,
            sum(abs(output_fps)) AS magnitude
        FROM livepeer_analytics.fact_stream_status_samples AS sample
        WHERE is_attributed = 1 AND sample_ts >= toDateTime64({start:DateTime('UTC')}, 3, 'UTC') - INTERVAL 1 HOUR
            AND sample_ts < toDateTime64({end:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
        GROUP BY window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region
    ),
    judged AS
    (
        SELECT
            hour.*,
            session.session_start_ts < hour.window_start
                AND ifNull(session.session_end_ts >= hour.window_start, 0)
                AND ifNull(session.session_end_ts < hour.window_start + INTERVAL 1 HOUR, 0)
                AND hour.with_output = 0 AND hour.running = 0 AND hour.samples < 3
                AND (
                    hour.window_start - INTERVAL 1 HOUR, hour.org, hour.workflow_session_id, hour.orchestrator_address,
                    hour.pipeline, hour.model_id, hour.gpu_id, hour.region
                ) IN (
                    SELECT window_start, org, workflow_session_id, orchestrator_address, pipeline, model_id, gpu_id, region
                    FROM session_hours
                    WHERE with_output = 0 AND running = 0 AND samples < 3
                ) AS is_tail
        FROM session_hours AS hour
        LEFT JOIN livepeer_analytics.fact_workflow_sessions AS session ON session.org = hour.org AND session.workflow_session_id = hour.workflow_session_id
        WHERE hour.window_start >= {start:DateTime('UTC')} AND hour.window_start < {end:DateTime('UTC')}
    )
SELECT window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region, groupArray((source, samples, fps)) AS found
FROM
(
    SELECT
        'view' AS source, window_start, org, orchestrator_address, pipeline, ifNull(shown.model_id, '') AS model_id, gpu_id,
        ifNull(shown.region, '') AS region, status_samples AS samples, ifNull(avg_output_fps, 0) AS fps,
        0. AS magnitude
    FROM livepeer_analytics.v_api_gpu_metrics AS shown
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'facts', window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region, sum(evidence.samples),
        ifNull(sum(evidence.fps) / nullIf(sum(evidence.samples), 0), 0),
        ifNull(sum(evidence.magnitude) / nullIf(sum(evidence.samples), 0), 0)
    FROM
    (
        SELECT window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region, samples, fps, magnitude, is_tail
        FROM judged
        UNION ALL
        SELECT window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region, 0, 0, 0, 0
        FROM livepeer_analytics.v_session_outcomes
        WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    ) AS evidence
    WHERE orchestrator_address != '' AND gpu_id != ''
    GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
    HAVING min(is_tail) = 0
)
GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
HAVING count() != 2 OR uniqExact(samples) != 1 OR max(fps) - min(fps) > 1e-6 * greatest(1, max(magnitude))
SETTINGS join_use_nulls = 0
