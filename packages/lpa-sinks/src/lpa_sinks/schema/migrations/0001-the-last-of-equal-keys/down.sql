ALTER TABLE livepeer_analytics.streaming_events
    MODIFY COLUMN data String ALIAS JSONExtractRaw(raw_json, 'data')
    COMMENT 'its value; raw_json has the exact text';
