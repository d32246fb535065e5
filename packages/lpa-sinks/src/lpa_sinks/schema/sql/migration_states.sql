SELECT
    number,
    argMax(name, changed_at),
    argMax(checksum, changed_at),
    argMax(state, changed_at),
    argMax(previous_views, changed_at)
FROM $database.schema_migrations
GROUP BY number
ORDER BY number
