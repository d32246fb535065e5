SELECT toString(source_topic), source_partition, source_offset, base64Encode($payload)
FROM $table
WHERE multiSearchAny($payload, {needles:Array(String)})
