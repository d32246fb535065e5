outcome = 'published'
    AND reinterpretAsUInt64(substring(SHA256(concat(source_topic, ':', toString(source_partition), ':', toString(source_offset))), 1, 8))
        <= {last:UInt64}
