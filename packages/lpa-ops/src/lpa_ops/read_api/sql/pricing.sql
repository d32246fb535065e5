-- The latest price of a day, per org, orchestrator, pipeline and model. Of several prices of an orchestrator the one that
-- names the model counts, then that of a capability of others by its name, then that of the capability, then that of all.
SELECT
    org,
    orchestrator_address AS orchAddress,
    pipeline,
    model_id AS model,
    price.1 AS priceWeiPerUnit,
    price.2 AS pixelsPerUnit,
    CAST(warm, 'Nullable(Bool)') AS isWarm
FROM
(
    SELECT
        offer.org AS org,
        offer.orchestrator_address AS orchestrator_address,
        offer.pipeline AS pipeline,
        offer.model_id AS model_id,
        argMin(
            (price.price_per_unit, price.pixels_per_unit),
            (
                multiIf(
                    price.constraint_name = offer.model_id AND price.capability_id = offer.capability_id, 1,
                    price.constraint_name = offer.pipeline AND price.capability_id = 37, 2,
                    price.constraint_name = '' AND price.capability_id = offer.capability_id, 3,
                    4
                ),
                -toUnixTimestamp64Milli(price.snapshot_ts),
                price.price_per_unit
            )
        ) AS price
    FROM
    (
        SELECT DISTINCT org, orchestrator_address, pipeline, model_id, capability_id
        FROM dim_orchestrator_capability_snapshots
        WHERE snapshot_ts > fromUnixTimestamp64Milli({now:Int64} - 86400000, 'UTC')
            AND snapshot_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
            AND (NOT {org_wanted:Bool} OR org = {org:String})
    ) AS offer
    INNER JOIN
    (
        SELECT
            org,
            orchestrator_address,
            capability_id,
            ifNull(constraint_name, '') AS constraint_name,
            max(dim_orchestrator_capability_prices.snapshot_ts) AS snapshot_ts,
            argMax(price_per_unit, (dim_orchestrator_capability_prices.snapshot_ts, source_event_uid)) AS price_per_unit,
            argMax(pixels_per_unit, (dim_orchestrator_capability_prices.snapshot_ts, source_event_uid))
                AS pixels_per_unit
        FROM dim_orchestrator_capability_prices
        WHERE dim_orchestrator_capability_prices.snapshot_ts
                > fromUnixTimestamp64Milli({now:Int64} - 86400000, 'UTC')
            AND dim_orchestrator_capability_prices.snapshot_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
            AND dim_orchestrator_capability_prices.price_per_unit IS NOT NULL
        GROUP BY org, orchestrator_address, capability_id, constraint_name
    ) AS price
        ON price.org = offer.org AND price.orchestrator_address = offer.orchestrator_address
    WHERE (price.constraint_name = offer.model_id AND price.capability_id = offer.capability_id)
        OR (price.constraint_name = offer.pipeline AND price.capability_id = 37)
        OR (price.constraint_name = '' AND price.capability_id IN (offer.capability_id, -1))
    GROUP BY org, orchestrator_address, pipeline, model_id
) AS priced
LEFT JOIN
(
    SELECT org, orchestrator_address, model_id, argMax(toNullable(warm > 0), snapshot_ts) AS warm
    FROM dim_orchestrator_capability_model_constraints
    WHERE snapshot_ts > fromUnixTimestamp64Milli({now:Int64} - 86400000, 'UTC')
        AND snapshot_ts <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    GROUP BY org, orchestrator_address, model_id
) AS state USING (org, orchestrator_address, model_id)
ORDER BY org, orchAddress, pipeline, model
LIMIT {rows:UInt32}
