event_date BETWEEN toDate32(fromUnixTimestamp64Milli({earliest:Int64}, 'UTC'))
        AND toDate32(fromUnixTimestamp64Milli({latest:Int64}, 'UTC'))
    AND event_timestamp BETWEEN fromUnixTimestamp64Milli({earliest:Int64}) AND fromUnixTimestamp64Milli({latest:Int64})
