-- An event under the id of another is kept as long as a dead letter. A key that is made of the content has no other content.
ALTER TABLE livepeer_analytics.streaming_events_quarantine
    MODIFY TTL
    toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 30 DAY,
    toDateTime(least(ingestion_timestamp, toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL 7 DAY DELETE WHERE ifNull(dedup_strategy, '') != 'event_id';
