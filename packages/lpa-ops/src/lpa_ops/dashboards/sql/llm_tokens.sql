SELECT window_start AS time, sum(prompt_tokens_sum) AS prompt, sum(completion_tokens_sum) AS completion
FROM v_api_llm_usage
WHERE $__timeFilter(window_start)
GROUP BY time
ORDER BY time
