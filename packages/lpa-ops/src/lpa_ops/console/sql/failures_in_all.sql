-- Rejects of a window in all, and in how many classes, reasons and types.
SELECT
    count() AS total,
    countIf(state = 'recovered') AS recovered,
    countIf(state = 'given up') AS given_up,
    uniqExact(failure_class, failure_reason, event_type) AS groups
FROM ($rejects)
WHERE $matching
