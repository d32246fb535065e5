-- Of the records that the filters let pass: those that the window takes by the other time, and not by this one.
SELECT count()
FROM $table
WHERE ingestion_timestamp <= fromUnixTimestamp64Milli({through:Int64}, 'UTC')
    AND $other >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND $other < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND NOT ($moment >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND $moment < fromUnixTimestamp64Milli({end:Int64}, 'UTC'))
    AND (empty({classes:Array(String)}) OR failure_class IN {classes:Array(String)})
    AND (empty({reasons:Array(String)}) OR failure_reason IN {reasons:Array(String)})
    AND (empty({types:Array(String)}) OR event_type IN {types:Array(String)})
    AND (empty({stages:Array(String)}) OR failure_stage IN {stages:Array(String)})
    AND (empty({partitions:Array(UInt32)}) OR source_partition IN {partitions:Array(UInt32)})
    AND ($where
    )
