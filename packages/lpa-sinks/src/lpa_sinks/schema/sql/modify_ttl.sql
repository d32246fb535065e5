ALTER TABLE livepeer_analytics.$table MODIFY TTL $ttl
