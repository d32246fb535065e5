-- severity: fail
-- covers: 19
-- meaning: A job has an orchestrator if its attribution says so, and else neither orchestrator nor GPU; it names candidates
--   only if it is ambiguous.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold
SELECT org, job_id, orchestrator_address, gpu_id, attribution_status, attribution_candidates
FROM livepeer_analytics.fact_jobs
WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
    AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')}
    AND (
        attribution_status NOT IN ('resolved', 'hardware_less', 'stale', 'ambiguous', 'unresolved')
        OR (orchestrator_address != '') != (attribution_status IN ('resolved', 'hardware_less', 'stale'))
        OR (orchestrator_address = '' AND ifNull(gpu_id, '') != '')
        OR (attribution_candidates != '') != (attribution_status = 'ambiguous')
    )
