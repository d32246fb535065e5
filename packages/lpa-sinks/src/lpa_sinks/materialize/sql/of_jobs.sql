    AND (org, $job_id) IN (
        SELECT org, job_id
        FROM format(Native, base64Decode('$jobs'))
    )
