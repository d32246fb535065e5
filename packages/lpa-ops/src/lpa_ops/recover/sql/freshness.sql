SELECT count(), toUnixTimestamp64Milli(max(ingestion_timestamp))
FROM $raw
