-- severity: fail
-- covers: 44
-- meaning: Where a known session failed, was without output or only loading, the success ratio is below 1.
-- to do: lpa schema check: the view is not the one of this version
SELECT window_start, org, gateway, region, model_id, failed, ratio
FROM
(
    SELECT window_start, org, gateway, region, model_id, sum(known_effective_failed_sessions) AS failed
    FROM livepeer_analytics.v_session_outcomes
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY window_start, org, gateway, region, model_id
) AS outcome
INNER JOIN
(
    SELECT window_start, org, gateway, region, model_id, min(success_ratio) AS ratio
    FROM livepeer_analytics.v_api_network_demand
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY window_start, org, gateway, region, model_id
) AS shown USING (window_start, org, gateway, region, model_id)
WHERE failed > 0 AND ifNull(ratio >= 0.999999, 1)
