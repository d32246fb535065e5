SELECT
    orchestrator_address,
    capability_name,
    constraint_name,
    argMax(price_per_unit * 1e6 / greatest(pixels_per_unit, 1) / 1e9, snapshot_ts) AS gwei_a_megapixel,
    max(snapshot_ts) AS quoted
FROM dim_orchestrator_capability_prices
WHERE $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
GROUP BY orchestrator_address, capability_name, constraint_name
ORDER BY quoted DESC
LIMIT 200
