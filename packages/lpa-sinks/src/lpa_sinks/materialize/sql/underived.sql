SELECT topic, batch_time FROM $database.underived FINAL ORDER BY topic
