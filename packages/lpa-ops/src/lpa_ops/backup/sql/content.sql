SELECT count(), sum(sipHash64(formatRow('RowBinary', $columns)))
FROM $table
WHERE $condition
