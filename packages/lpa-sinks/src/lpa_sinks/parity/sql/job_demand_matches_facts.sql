-- severity: fail
-- covers: 40, 41
-- meaning: v_api_job_demand counts every job once: by org and hour its jobs, outcomes, durations and charges are those of facts.
-- to do: lpa schema check: the view is not the one of this version
SELECT org, hour, groupArray((source, counts)) AS found
FROM
(
    SELECT
        'view' AS source, org, window_start AS hour,
        [
            toInt256(sum(jobs)), toInt256(sum(success)), toInt256(sum(failed)), toInt256(sum(stream_failed)),
            toInt256(sum(no_orchestrator)), toInt256(sum(selected)), toInt256(sum(duration_ms_sum)),
            toInt256(sum(duration_samples)), toInt256(sum(charged_wei))
        ] AS counts
    FROM livepeer_analytics.v_api_job_demand
    WHERE window_start >= {start:DateTime('UTC')} AND window_start < {end:DateTime('UTC')}
    GROUP BY org, hour
    HAVING sum(jobs) > 0
    UNION ALL
    SELECT
        'facts', org,
        toStartOfInterval(assumeNotNull(coalesce(received_at, completed_at)), INTERVAL 3600000 MILLISECOND) AS hour,
        [
            toInt256(count()), toInt256(countIf(outcome = 'success')), toInt256(countIf(outcome = 'failed')),
            toInt256(countIf(outcome = 'stream_failed')), toInt256(countIf(outcome = 'no_orchestrator')),
            toInt256(countIf(selection_outcome = 'selected')), toInt256(sum(ifNull(duration_ms, 0))),
            toInt256(count(duration_ms)), toInt256(sum(toUInt256(ifNull(charged_wei, 0))))
        ]
    FROM livepeer_analytics.fact_jobs
    WHERE hour >= {start:DateTime('UTC')} AND hour < {end:DateTime('UTC')}
    GROUP BY org, hour
)
GROUP BY org, hour
HAVING count() != 2 OR uniqExact(counts) != 1
