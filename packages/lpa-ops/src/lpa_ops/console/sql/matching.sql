ingestion_timestamp < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
AND ({failure_class:String} = '' OR failure_class = {failure_class:String})
AND ({failure_reason:String} = '' OR failure_reason = {failure_reason:String})
AND ({typed:UInt8} = 0 OR event_type = {event_type:String})
AND ({sought:String} = ''
    OR event_id = {sought:String}
    OR dedup_key = {sought:String}
    OR position(payload_body, {sought:String}) > 0
    OR (source_topic = {topic:String} AND source_partition = {partition:Int64} AND source_offset = {offset:Int64}))
