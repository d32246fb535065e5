-- What was last said of each GPU.
SELECT org, orchestrator_address, model_id, gpu_id, gpu_name, gpu_memory_total, runner_version, cuda_version
FROM v_gpu_labels
WHERE NOT {org_wanted:Bool} OR org = {org:String}
