-- Known sessions by full hour before now, gateway and pipeline. A pipeline that is not known is that of the other sessions of the hour, org,
-- gateway and model, where they agree, as in v_api_network_demand.
SELECT hours_ago, gateway, pipeline, count() AS requested, sum(failed) AS failed, sum(signals) AS signals, sum(expected) AS expected
FROM
(
    SELECT
        hours_ago, gateway, failed, signals, expected,
        if(own_pipeline != '' OR only_pipeline != last_pipeline, own_pipeline, only_pipeline) AS pipeline
    FROM
    (
        SELECT
            *,
            minIf(own_pipeline, own_pipeline != '') OVER (PARTITION BY hours_ago, org, gateway, model_id) AS only_pipeline,
            max(own_pipeline) OVER (PARTITION BY hours_ago, org, gateway, model_id) AS last_pipeline
        FROM
        (
            SELECT
                dateDiff('hour', window_start, toStartOfHour(fromUnixTimestamp64Milli({now:Int64}, 'UTC'))) AS hours_ago,
                org,
                gateway,
                model_id,
                if(lower(session.pipeline) = lower(model_id), '', session.pipeline) AS own_pipeline,
                effective_failed_sessions OR orchestrator_address = '' AS failed,
                health_signal_count AS signals,
                health_expected_signal_count AS expected
            FROM livepeer_analytics.v_session_outcomes AS session
            WHERE known_sessions
                AND window_start >= toStartOfHour(fromUnixTimestamp64Milli({now:Int64}, 'UTC')) - toIntervalHour({hours:UInt8})
                AND window_start < toStartOfHour(fromUnixTimestamp64Milli({now:Int64}, 'UTC'))
        )
    )
)
GROUP BY hours_ago, gateway, pipeline
