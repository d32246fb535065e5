-- severity: fail
-- covers: 20
-- meaning: A session that counts as swapped has a swap edge or event, or segments on more than one orchestrator.
-- to do: lpa materialize rebuild for the window; if it fails again, it is a defect of the fold or of the schema
SELECT org, workflow_session_id, confirmed_swap_count, inferred_orchestrator_change_count
FROM livepeer_analytics.fact_workflow_sessions
WHERE session_start_ts >= {start:DateTime('UTC')} AND session_start_ts < {end:DateTime('UTC')}
    AND (confirmed_swap_count > 0 OR inferred_orchestrator_change_count > 0)
    AND (org, workflow_session_id) NOT IN (SELECT org, workflow_session_id FROM livepeer_analytics.fact_stream_trace_edges WHERE is_swap_event = 1
    )
    AND (org, workflow_session_id) NOT IN (
        SELECT org, concat(
            if(trimBoth(stream_id) = '', '_missing_stream', trimBoth(stream_id)), '|',
            if(trimBoth(request_id) = '', '_missing_request', trimBoth(request_id))
        )
        FROM livepeer_analytics.ai_stream_events
        WHERE lower(event_type) = 'orchestrator_swap'
    )
    AND (org, workflow_session_id) NOT IN (SELECT org, workflow_session_id FROM livepeer_analytics.fact_workflow_session_segments
        WHERE orchestrator_address != ''
        GROUP BY org, workflow_session_id
        HAVING uniqExact(orchestrator_address) > 1
    )
