SELECT name, type, comment AS meaning, is_in_sorting_key AS is_sorted_by
FROM system.columns
WHERE database = {database:String} AND table = {table:String}
ORDER BY position
