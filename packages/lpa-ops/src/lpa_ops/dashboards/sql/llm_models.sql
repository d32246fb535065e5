SELECT
    org, model_id,
    sum(usage.requests) AS requests,
    sum(usage.total_tokens_sum) AS tokens,
    sum(usage.tokens_per_second * usage.requests)
        / nullIf(sumIf(usage.requests, usage.tokens_per_second IS NOT NULL), 0) AS tokens_per_second,
    sum(usage.ttft_ms_sum) / nullIf(sum(usage.ttft_samples), 0) AS ttft_ms
FROM v_api_llm_usage AS usage
WHERE $__timeFilter(window_start)
GROUP BY org, model_id
ORDER BY requests DESC
