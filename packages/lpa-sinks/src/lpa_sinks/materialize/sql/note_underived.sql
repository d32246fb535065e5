INSERT INTO $database.underived (topic, batch_time, version, is_deleted)
SELECT {topic:String}, {batch_time:Int64}, toUnixTimestamp64Micro(now64(6)), {is_derived:UInt8}
