-- severity: fail
-- covers: 40, 41
-- meaning: v_api_network_demand has the keys, samples, sessions, streams, average and counts that samples and
--   sessions have.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
WITH
    outcomes AS
    (
        SELECT *, if(lower(outcome.pipeline) = lower(outcome.model_id), '', outcome.pipeline) AS own_pipeline
        FROM livepeer_analytics.v_session_outcomes AS outcome
        WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    ),
    fallbacks AS
    (
        SELECT window_start, org, gateway, region, model_id, any(own_pipeline) AS only_pipeline
        FROM outcomes
        WHERE own_pipeline != ''
        GROUP BY window_start, org, gateway, region, model_id
        HAVING uniqExact(own_pipeline) = 1
    )
SELECT window_start, org, gateway, region, pipeline, model_id, groupArray((source, counts, fps)) AS found
FROM
(
    SELECT
        'view' AS source, window_start, org, gateway, region, pipeline, model_id,
        [
            status_samples, total_sessions, total_streams, known_sessions, served_sessions, unserved_sessions,
            unexcused_sessions, swapped_sessions,
            toUInt64(round(ifNull((1 - success_ratio) * known_sessions, 0)))
        ] AS counts,
        ifNull(avg_output_fps, 0) AS fps,
        0. AS magnitude,
        ifNull(abs(total_minutes - status_samples / 6) > 1e-6, 0) AS wrong,
        -- What is paid in an hour without any such session or sample has a row of empty labels for itself.
        fee_payment_eth > 0 AND gateway = '' AND region = '' AND pipeline = '' AND model_id = '' AND status_samples = 0
            AND known_sessions = 0 AS only_paid
    FROM livepeer_analytics.v_api_network_demand
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    UNION ALL
    SELECT
        'facts', window_start, org, gateway, region, pipeline, model_id,
        [
            sum(evidence.samples), uniqExactIf(evidence.session, evidence.samples > 0), uniqExactIf(stream,
                evidence.samples > 0),
            sum(known), sum(served), sum(unserved), sum(unexcused), sum(swapped), sum(failed)
        ],
        ifNull(sum(evidence.fps) / nullIf(sum(evidence.samples), 0), 0),
        ifNull(sum(abs(evidence.fps)) / nullIf(sum(evidence.samples), 0), 0),
        0, 0
    FROM
    (
        SELECT
            window_start, org, gateway, region, model_id, if(own_pipeline != '', own_pipeline, only_pipeline) AS pipeline,
            session, stream, samples, fps, known, served, unserved, unexcused, swapped, failed
        FROM
        (
            SELECT
                toStartOfHour(sample_ts) AS window_start, org, gateway, ifNull(sample.region, '') AS region,
                ifNull(sample.model_id, '') AS model_id, if(lower(pipeline) = lower(model_id), '',
                    pipeline) AS own_pipeline,
                workflow_session_id AS session, trimBoth(stream_id) AS stream, 1 AS samples, output_fps AS fps,
                0 AS known, 0 AS served, 0 AS unserved, 0 AS unexcused, 0 AS swapped, 0 AS failed
            FROM livepeer_analytics.fact_stream_status_samples AS sample
            WHERE toStartOfHour(sample_ts) >= {start:DateTime('UTC')}
                AND toStartOfHour(sample_ts) < {end:DateTime('UTC')} AND is_attributed = 1
            UNION ALL
            SELECT
                window_start, org, gateway, region, model_id, own_pipeline, '', '', 0, 0, known_sessions,
                known_sessions AND orchestrator_address != '', known_sessions AND orchestrator_address = '',
                unexcused_sessions, swapped_sessions, known_effective_failed_sessions
            FROM outcomes
        ) AS labelled
        LEFT JOIN fallbacks USING (window_start, org, gateway, region, model_id)
    ) AS evidence
    GROUP BY window_start, org, gateway, region, pipeline, model_id
)
GROUP BY window_start, org, gateway, region, pipeline, model_id
HAVING count() + max(only_paid) < 2 OR uniqExact(counts) != 1 OR max(fps) - min(fps) > 1e-6 * greatest(1, max(magnitude)) OR max(wrong) > 0
SETTINGS join_use_nulls = 0
