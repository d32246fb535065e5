SELECT default_kind
FROM system.columns
WHERE database = {database:String} AND table = {table:String} AND name = {column:String}
