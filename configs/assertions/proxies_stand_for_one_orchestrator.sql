-- severity: fail or warn
-- covers: 29
-- meaning: A proxy wallet stands for one canonical wallet. Several at one address (fail) make attribution
--   ambiguous; several at different addresses (warn) may.
-- to do: ask the operators of these orchestrators
SELECT
    if(max(of_address) > 1, 'fail', 'warn') AS severity,
    org,
    orchestrator_proxy_address,
    arrayDistinct(arrayFlatten(groupArray(wallets))) AS canonical
FROM
(
    SELECT
        org,
        orchestrator_proxy_address,
        orchestrator_url,
        groupUniqArray(orchestrator_address) AS wallets,
        length(wallets) AS of_address
    FROM livepeer_analytics.dim_orchestrator_capability_snapshots
    WHERE snapshot_ts >= {start:DateTime('UTC')} AND snapshot_ts < {end:DateTime('UTC')}
        AND orchestrator_proxy_address != '' AND orchestrator_address != ''
    GROUP BY org, orchestrator_proxy_address, orchestrator_url
)
GROUP BY org, orchestrator_proxy_address
HAVING length(canonical) > 1
