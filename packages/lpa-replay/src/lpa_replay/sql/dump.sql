SELECT formatRow('JSONEachRow', $columns) AS row FROM $table
