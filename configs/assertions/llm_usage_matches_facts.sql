-- severity: fail
-- covers: 40, 41
-- meaning: v_api_llm_usage has the requests and tokens of the jobs that a language model answered, by org and model.
-- to do: lpa schema check: the view is not the one of this version
SELECT org, model_id, groupArray((source, counts)) AS found
FROM
(
    SELECT
        'view' AS source, org, model_id,
        [
            toInt64(sum(requests)), sum(prompt_tokens_sum), sum(completion_tokens_sum), sum(total_tokens_sum),
            sum(ttft_ms_sum)
        ] AS counts
    FROM livepeer_analytics.v_api_llm_usage
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY org, model_id
    UNION ALL
    SELECT
        'facts', org, model_id,
        [
            toInt64(count()), sum(ifNull(prompt_tokens, 0)), sum(ifNull(completion_tokens, 0)),
            sum(ifNull(total_tokens, 0)), sum(ifNull(ttft_ms, 0))
        ]
    FROM livepeer_analytics.fact_jobs
    WHERE toStartOfInterval(assumeNotNull(coalesce(received_at, completed_at)), INTERVAL 3600000 MILLISECOND)
            >= {start:DateTime('UTC')}
        AND toStartOfInterval(assumeNotNull(coalesce(received_at, completed_at)), INTERVAL 3600000 MILLISECOND)
            < {end:DateTime('UTC')}
        AND job_type = 'ai_batch'
        AND toString((prompt_tokens, completion_tokens, total_tokens, ttft_ms, finish_reason))
            != toString((NULL, NULL, NULL, NULL, ''))
    GROUP BY org, model_id
)
GROUP BY org, model_id
HAVING count() != 2 OR uniqExact(counts) != 1
