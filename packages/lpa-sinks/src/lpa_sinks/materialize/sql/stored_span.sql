SELECT
    toUnixTimestamp64Milli(min(ingestion_timestamp)) AS earliest,
    toUnixTimestamp64Milli(max(ingestion_timestamp)) AS latest,
    count() AS rows
FROM $database.$table
WHERE $rows
