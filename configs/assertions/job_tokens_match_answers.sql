-- severity: fail
-- covers: 12
-- meaning: A batch job has the tokens, the time to the first token and the end of its language model's latest answer.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold
WITH (
    SELECT (
        least(min(toDate32(first_event_timestamp)), toDate32({start:DateTime('UTC')}) - 1),
        greatest(max(toDate32(last_event_timestamp)), toDate32({end:DateTime('UTC')}) + 1)
    )
    FROM livepeer_analytics.fact_jobs_versions
    WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
        AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')}
) AS days
SELECT org, job_id, said, answers.expected AS expected
FROM
(
    SELECT
        org, job_id,
        toString((prompt_tokens, completion_tokens, total_tokens, ttft_ms, finish_reason)) AS said
    FROM livepeer_analytics.fact_jobs
    WHERE assumeNotNull(coalesce(received_at, completed_at)) >= {start:DateTime('UTC')}
    AND assumeNotNull(coalesce(received_at, completed_at)) < {end:DateTime('UTC')} AND job_type = 'ai_batch' AND first_event_timestamp >= now64(3) - INTERVAL 89 DAY
) AS fact
LEFT JOIN
(
    SELECT
        org,
        concat('ai_batch|', trimBoth(request_id)) AS job_id,
        argMax(
            toString((prompt_tokens, completion_tokens, total_tokens, ttft_ms, finish_reason)),
            (event_timestamp, raw_event_uid)
        ) AS expected
    FROM livepeer_analytics.ai_llm_requests
    WHERE subtype IN ('llm_request_completed', 'llm_stream_completed') AND trimBoth(request_id) != ''
        AND event_date BETWEEN days.1 AND days.2
    GROUP BY org, job_id
) AS answers USING (org, job_id)
WHERE said != if(answers.expected = '', toString((NULL, NULL, NULL, NULL, '')), answers.expected)
SETTINGS join_use_nulls = 0
