SELECT toUnixTimestamp64Milli(max(ingestion_timestamp)) AS newest
FROM $table
