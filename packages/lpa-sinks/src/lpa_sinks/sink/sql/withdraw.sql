DELETE FROM $table
WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} AND source_offset IN {offsets:Array(UInt64)}
