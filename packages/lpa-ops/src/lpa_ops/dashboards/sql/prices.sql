SELECT
    toStartOfInterval(snapshot_ts, INTERVAL 3600000 MILLISECOND) AS time,
    capability_name,
    avg(price_per_unit * 1e6 / greatest(pixels_per_unit, 1) / 1e9) AS gwei
FROM dim_orchestrator_capability_prices
WHERE $__timeFilter(snapshot_ts)
    AND $__conditionalAll(orchestrator_address IN (${orchestrator:singlequote}), $orchestrator)
GROUP BY time, capability_name
ORDER BY time
