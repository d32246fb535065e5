-- severity: fail
-- covers: 19
-- meaning: The orchestrator of a job is the canonical wallet of a snapshot of its org.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold
SELECT org, job_id, orchestrator_address
FROM livepeer_analytics.fact_jobs
WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
    AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')}
    AND orchestrator_address != ''
    AND (org, orchestrator_address) NOT IN (
        SELECT DISTINCT org, orchestrator_address
        FROM livepeer_analytics.dim_orchestrator_capability_snapshots
        UNION DISTINCT
        SELECT DISTINCT org, orchestrator_address
        FROM livepeer_analytics.dim_orchestrator_capability_prices
        UNION DISTINCT
        SELECT DISTINCT org, orchestrator_address
        FROM livepeer_analytics.dim_orchestrator_capability_advertised_snapshots
    )
