-- Tombstones for jobs that an older version has and this one has not.
INSERT INTO $database.fact_jobs_versions ($columns, version, is_deleted)
SELECT $columns, {version:UInt64}, 1
FROM $database.fact_jobs_versions FINAL
WHERE (org, job_id) IN (SELECT org, job_id FROM format(Native, base64Decode('$jobs')))
    AND version < {version:UInt64}
