-- Of a key that comes twice in an object the last counts, in data as in the typed columns.
ALTER TABLE livepeer_analytics.streaming_events
    MODIFY COLUMN data String ALIAS arrayLast(pair -> pair.1 = 'data', JSONExtractKeysAndValuesRaw(raw_json)).2
    COMMENT 'its value, the last of several; raw_json has the exact text';
