ALTER TABLE livepeer_analytics.streaming_events_quarantine
    MODIFY TTL toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 7 DAY;
