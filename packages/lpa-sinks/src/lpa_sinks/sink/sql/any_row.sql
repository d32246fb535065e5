SELECT count()
FROM
(
    (SELECT 1 FROM $raw LIMIT 1)
    UNION ALL
    (SELECT 1 FROM $dead_letters LIMIT 1)
    UNION ALL
    (SELECT 1 FROM $quarantine LIMIT 1)
)
