-- When the first of the latest records was rejected, of so many as a page shows.
SELECT min(ingestion_timestamp) AS at
FROM
(
    SELECT ingestion_timestamp
    FROM ($rejects)
    WHERE $matching
    ORDER BY ingestion_timestamp DESC
    LIMIT 100
)
