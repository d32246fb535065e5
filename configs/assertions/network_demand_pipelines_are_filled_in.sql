-- severity: fail
-- covers: 71
-- meaning: No row of v_api_network_demand is without pipeline where the sessions of its hour, gateway, region and
--   model have exactly one.
-- to do: lpa schema check: the view is not the one of this version
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
SELECT window_start, org, gateway, region, pipeline, model_id
FROM livepeer_analytics.v_api_network_demand
WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')} AND pipeline = ''
    AND (window_start, org, gateway, region, model_id) IN (SELECT window_start, org, gateway, region, model_id FROM fallbacks)
