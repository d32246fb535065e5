toDateTime(least(greatest(event_timestamp, ingestion_timestamp), toDateTime64('2100-01-01 00:00:00', 3, 'UTC')), 'UTC') + INTERVAL $days DAY
