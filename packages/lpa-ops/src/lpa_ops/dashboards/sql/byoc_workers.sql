SELECT org, orchestrator_address, capability, worker_url, models, price_per_unit, registered_at
FROM v_api_byoc_workers
ORDER BY registered_at DESC
LIMIT 100
