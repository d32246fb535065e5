SELECT status::String, error
FROM system.backups
WHERE id = {id:String}
