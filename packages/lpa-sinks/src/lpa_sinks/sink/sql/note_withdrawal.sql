INSERT INTO $withdrawn (table_name, source_topic, source_partition, source_offset)
SELECT {table_name:String}, {topic:String}, {partition:UInt32}, arrayJoin({offsets:Array(UInt64)})
