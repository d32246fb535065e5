source_topic = {topic:String} AND ingestion_timestamp >= fromUnixTimestamp64Milli({first:Int64})
