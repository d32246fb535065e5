event_date BETWEEN toDate32(fromUnixTimestamp64Milli({earliest:Int64}, 'UTC')) - 1
            AND toDate32(fromUnixTimestamp64Milli({latest:Int64}, 'UTC')) + 1