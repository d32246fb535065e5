SELECT toUnixTimestamp64Milli(max(ingestion_timestamp)) FROM $table
