-- Rejects of a window by class, reason and type, the most frequent first.
SELECT
    failure_class,
    failure_reason,
    event_type,
    count() AS total,
    countIf(state = 'recovered') AS recovered,
    countIf(state = 'given up') AS given_up,
    min(ingestion_timestamp) AS first_at,
    max(ingestion_timestamp) AS last_at
FROM ($rejects)
WHERE $matching
GROUP BY failure_class, failure_reason, event_type
ORDER BY total DESC, failure_class, failure_reason, event_type
LIMIT {most_groups:UInt32}
