source_topic = {topic:String}
AND source_partition = {partition:UInt32}
AND source_offset >= {low:UInt64}
AND source_offset < {high:UInt64}
AND arrayExists((first, behind) -> source_offset >= first AND source_offset < behind, {firsts:Array(UInt64)}, {behinds:Array(UInt64)})
