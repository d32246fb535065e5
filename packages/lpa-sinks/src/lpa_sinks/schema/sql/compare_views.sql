SELECT count(), sum(sipHash64(formatRow('RowBinary', $columns)))
FROM $view
WHERE $condition
