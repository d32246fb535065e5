DELETE FROM $table
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND source_offset >= {lowest:UInt64}
    AND source_offset < transform(
        roundDown(source_offset, {firsts:Array(UInt64)}), {firsts:Array(UInt64)}, {behinds:Array(UInt64)}, toUInt64(0)
    )
    AND toUnixTimestamp64Milli(ingestion_timestamp) != transform(
        roundDown(source_offset, {firsts:Array(UInt64)}), {firsts:Array(UInt64)}, {batch_times:Array(Int64)}, toInt64(0)
    )$but
