ingestion_timestamp BETWEEN fromUnixTimestamp64Milli({first:Int64}) AND fromUnixTimestamp64Milli({last:Int64})
    AND (source_topic, source_partition, toUnixTimestamp64Milli(ingestion_timestamp)) IN (
        SELECT topic, partition, batch_time
        FROM format(Native, base64Decode('$ranges'))
    )
