-- severity: fail
-- covers: 5
-- meaning: No capability row without the network_capabilities event that it was made of.
-- to do: find where the rows came from; nothing but lpa ingest writes these tables
SELECT DISTINCT typed_table, raw_event_uid, source_topic, source_partition, source_offset
FROM
(
    SELECT 'network_capabilities' AS typed_table, raw_event_uid, source_topic, source_partition, source_offset
    FROM livepeer_analytics.network_capabilities
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'network_capabilities_advertised' AS typed_table, raw_event_uid, source_topic, source_partition, source_offset
    FROM livepeer_analytics.network_capabilities_advertised
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'network_capabilities_model_constraints' AS typed_table, raw_event_uid, source_topic, source_partition,
        source_offset
    FROM livepeer_analytics.network_capabilities_model_constraints
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
    UNION ALL
    SELECT 'network_capabilities_prices' AS typed_table, raw_event_uid, source_topic, source_partition, source_offset
    FROM livepeer_analytics.network_capabilities_prices
    WHERE event_timestamp >= {start:DateTime('UTC')} AND event_timestamp < {end:DateTime('UTC')}
)
WHERE (raw_event_uid, source_topic, source_partition, source_offset) NOT IN (
    SELECT dedup_key, source_topic, source_partition, source_offset
    FROM livepeer_analytics.streaming_events
    WHERE type = 'network_capabilities' AND event_timestamp >= {start:DateTime('UTC')}
        AND event_timestamp < {end:DateTime('UTC')}
)
