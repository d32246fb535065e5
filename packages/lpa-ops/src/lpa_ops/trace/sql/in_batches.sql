ingestion_timestamp IN (SELECT fromUnixTimestamp64Milli(arrayJoin({batches:Array(Int64)}), 'UTC'))
AND source_topic IN (SELECT arrayJoin({topics:Array(String)}))
