-- severity: fail
-- covers: 45, 46
-- meaning: Summed over models, v_api_network_demand has the samples, known sessions and fees of the hour: no join
--   loses or multiplies any.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT window_start, org, groupArray((source, samples, known, fees, expected_fees)) AS found
FROM
(
    SELECT
        'view' AS source, window_start, org, sum(status_samples) AS samples, sum(known_sessions) AS known,
        sum(fee_payment_eth) AS fees, sum(expected_fee_eth) AS expected_fees
    FROM livepeer_analytics.v_api_network_demand
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY window_start, org
    UNION ALL
    SELECT 'facts', hour, org, sum(sample), sum(session), toFloat64(sum(wei)) / 1e18, toFloat64(sum(expected_wei)) / 1e18
    FROM
    (
        SELECT toStartOfHour(sample_ts) AS hour, org, 1 AS sample, 0 AS session, toUInt256(0) AS wei, toUInt256(0) AS expected_wei
        FROM livepeer_analytics.fact_stream_status_samples
        WHERE toStartOfHour(sample_ts) >= {start:DateTime('UTC')} AND toStartOfHour(sample_ts) < {end:DateTime('UTC')}
            AND is_attributed = 1
        UNION ALL
        SELECT toStartOfHour(session_start_ts), org, 0, known_stream, 0, 0
        FROM livepeer_analytics.fact_workflow_sessions
        WHERE toStartOfHour(session_start_ts) >= {start:DateTime('UTC')}
            AND toStartOfHour(session_start_ts) < {end:DateTime('UTC')}
        UNION ALL
        SELECT toStartOfHour(event_timestamp), org, 0, 0, face_value_wei, expected_fee_wei
        FROM livepeer_analytics.payment_events
        WHERE toStartOfHour(event_timestamp) >= {start:DateTime('UTC')}
            AND toStartOfHour(event_timestamp) < {end:DateTime('UTC')}
    )
    GROUP BY hour, org
)
GROUP BY window_start, org
HAVING count() != 2 OR uniqExact((samples, known)) != 1 OR max(fees) - min(fees) > 1e-6 * greatest(1, max(fees))
    OR max(expected_fees) - min(expected_fees) > 1e-6 * max(expected_fees)
