SELECT count(), sum(sipHash64(formatRow('RowBinary', $columns))), $oldest
FROM $table
WHERE $condition
