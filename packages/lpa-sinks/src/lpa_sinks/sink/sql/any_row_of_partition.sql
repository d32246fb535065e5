(SELECT 1 FROM $table WHERE source_topic = {topic:String} AND source_partition = {partition:UInt32} LIMIT 1)
