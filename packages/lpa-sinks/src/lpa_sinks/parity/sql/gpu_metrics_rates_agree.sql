-- severity: fail
-- covers: 62
-- meaning: failure_rate and swap_rate of v_api_gpu_metrics are what the sessions make.
-- to do: lpa schema check: the view is not the one of this version
SELECT window_start, org, orchestrator_address, pipeline, gpu_id, failure_rate, swap_rate, outcome.failure, outcome.swap
FROM livepeer_analytics.v_api_gpu_metrics AS shown
INNER JOIN
(
    SELECT
        window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region,
        ifNull(sum(unexcused_sessions) / nullIf(sum(known_sessions), 0), 0) AS failure,
        ifNull(sum(known_swapped_sessions) / nullIf(sum(known_sessions), 0), 0) AS swap
    FROM livepeer_analytics.v_session_outcomes
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
) AS outcome
    ON outcome.window_start = shown.window_start
    AND outcome.org = shown.org
    AND outcome.orchestrator_address = shown.orchestrator_address
    AND outcome.pipeline = shown.pipeline
    AND outcome.model_id = ifNull(shown.model_id, '')
    AND outcome.gpu_id = shown.gpu_id
    AND outcome.region = ifNull(shown.region, '')
WHERE shown.window_start >= {start:DateTime('UTC')} AND shown.window_start < {end:DateTime('UTC')}
    AND (abs(failure_rate - failure) > 1e-6 OR abs(swap_rate - swap) > 1e-6)
