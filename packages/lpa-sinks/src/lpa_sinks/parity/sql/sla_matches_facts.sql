-- severity: fail
-- covers: 48, 49, 72, 75
-- meaning: v_api_sla_compliance has the keys that samples have, but for terminal tails, and the counts, ratios and
--   score that the sessions of these samples make.
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
            sum(output_fps) AS fps
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
SELECT window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region, groupArray((source, counts,
    ratios)) AS found
FROM
(
    SELECT
        'view' AS source, window_start, org, orchestrator_address, pipeline, ifNull(shown.model_id, '') AS model_id,
        ifNull(shown.gpu_id, '') AS gpu_id, ifNull(shown.region, '') AS region,
        [
            known_sessions, startup_success_sessions, excused_sessions, unexcused_sessions,
            confirmed_swapped_sessions, inferred_orchestrator_change_sessions, swapped_sessions, sessions_with_errors,
            sessions_with_last_error, loading_only_sessions, zero_output_fps_sessions, status_error_samples,
            health_signal_count, health_expected_signal_count
        ] AS counts,
        [
            ifNull(startup_success_ratio, -1), ifNull(success_ratio, -1), ifNull(no_swap_ratio, -1),
            ifNull(sla_score / 100, -1), health_completeness_ratio
        ] AS ratios
    FROM livepeer_analytics.v_api_sla_compliance AS shown
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        'facts', window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region, counts,
        [
            ifNull(startup, -1), ifNull(1 - failed / nullIf(counts[1], 0), -1), ifNull(no_swap, -1),
            ifNull((0.4 * startup + 0.2 * no_swap + 0.4 * (1 - without_output / nullIf(counts[1], 0))) * health, -1),
                health
        ]
    FROM
    (
        SELECT
            judged.window_start AS window_start, judged.org AS org, judged.orchestrator_address AS orchestrator_address,
            judged.pipeline AS pipeline, judged.model_id AS model_id, judged.gpu_id AS gpu_id, judged.region AS region,
            sumForEach([
                toUInt64(known_stream), startup_success, startup_excused, startup_unexcused, confirmed_swap_count > 0,
                inferred_orchestrator_change_count > 0, confirmed_swap_count > 0
                    OR inferred_orchestrator_change_count > 0,
                error_count > 0, last_error_occurred, loading_only_session, zero_output_fps_session,
                status_error_sample_count, health_signal_count, health_expected_signal_count
            ]) AS counts,
            countIf(known_stream AND (startup_unexcused OR zero_output_fps_session OR loading_only_session)) AS failed,
            countIf(known_stream AND (zero_output_fps_session OR loading_only_session)) AS without_output,
            1 - counts[4] / nullIf(counts[1], 0) AS startup,
            1 - countIf(known_stream AND (confirmed_swap_count > 0 OR inferred_orchestrator_change_count > 0))
                / nullIf(counts[1], 0) AS no_swap,
            least(1, ifNull(sumIf(health_signal_count, known_stream = 1) / nullIf(counts[14], 0), 1)) AS health
        FROM judged
        LEFT JOIN
        (
            -- Views leave out what a wrong clock made.
            SELECT * FROM livepeer_analytics.fact_workflow_sessions
            WHERE session_start_ts > toDateTime64('2000-01-01 00:00:00', 3, 'UTC')
        ) AS session ON session.org = judged.org AND session.workflow_session_id = judged.workflow_session_id
        WHERE is_tail = 0 AND judged.orchestrator_address != ''
        GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
    )
)
GROUP BY window_start, org, orchestrator_address, pipeline, model_id, gpu_id, region
HAVING count() != 2 OR uniqExact(counts) != 1
    OR arrayExists((a, b) -> abs(a - b) > 1e-6, groupArray(ratios)[1], groupArray(ratios)[-1])
SETTINGS join_use_nulls = 0
