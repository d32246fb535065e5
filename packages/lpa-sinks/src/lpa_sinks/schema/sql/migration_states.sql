SELECT
    number,
    name,
    argMax(checksum, changed_at),
    argMax(state, changed_at),
    argMax(previous_views, changed_at)
FROM $database.schema_migrations
GROUP BY number, name
ORDER BY max(changed_at), number
