-- severity: fail
-- covers: 6
-- meaning: Capability events and their rows are stored in the window.
-- to do: see whether the producer sends network_capabilities; without them nothing is attributed
SELECT 'streaming_events of type network_capabilities' AS missing
WHERE (
    SELECT count()
    FROM livepeer_analytics.streaming_events
    WHERE type = 'network_capabilities' AND event_timestamp >= {start:DateTime('UTC')}
        AND event_timestamp < {end:DateTime('UTC')}
) = 0
UNION ALL
SELECT 'network_capabilities'
WHERE (SELECT count() FROM livepeer_analytics.network_capabilities WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}) = 0
