-- Rejects of a window by class, reason and type, the most frequent first; of the ones not shown, only the sums are told.
SELECT
    failure_class,
    failure_reason,
    event_type,
    count() AS total,
    countIf(state = 'recovered') AS recovered,
    countIf(state = 'given up') AS given_up,
    min(ingestion_timestamp) AS first_at,
    max(ingestion_timestamp) AS last_at,
    sum(count()) OVER () AS of_all_total,
    sum(countIf(state = 'recovered')) OVER () AS of_all_recovered,
    sum(countIf(state = 'given up')) OVER () AS of_all_given_up,
    count() OVER () AS of_all_groups
FROM ($rejects)
WHERE $matching
GROUP BY failure_class, failure_reason, event_type
ORDER BY total DESC, failure_class, failure_reason, event_type
LIMIT 200
