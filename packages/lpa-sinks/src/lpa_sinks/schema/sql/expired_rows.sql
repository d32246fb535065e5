SELECT count() FROM livepeer_analytics.$table WHERE $ttl <= now()
