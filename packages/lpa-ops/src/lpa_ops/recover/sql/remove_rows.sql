DELETE FROM $table
WHERE source_topic = {topic:String}
    AND source_partition = {partition:UInt32}
    AND has(arrayZip({parts:Array(String)}, {rows:Array(UInt64)}), (_part, _part_offset))
