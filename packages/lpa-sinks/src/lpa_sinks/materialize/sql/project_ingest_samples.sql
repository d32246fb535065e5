-- Samples of the stream_ingest_metrics that arrived in [from, to). Doing it again changes nothing that is read.
INSERT INTO $database.fact_stream_ingest_samples_versions
(
    sample_ts, org, org_key, workflow_session_id, stream_id, request_id, connection_quality, video_jitter, audio_jitter,
    video_latency, audio_latency, bytes_received, bytes_sent, source_event_uid, ingestion_timestamp, version
)
WITH trimBoth(stream_id) AS stream, trimBoth(request_id) AS request, trimBoth(raw_event_uid) AS uid
SELECT
    event_timestamp,
    org,
    org,
    if(
        stream = '' AND request = '',
        concat('_missing_stream|_missing_request|', if(uid = '', '_missing_event', uid)),
        concat(if(stream = '', '_missing_stream', stream), '|', if(request = '', '_missing_request', request))
    ),
    stream_id,
    request_id,
    connection_quality,
    video_jitter,
    audio_jitter,
    video_latency,
    audio_latency,
    bytes_received,
    bytes_sent,
    raw_event_uid,
    ingestion_timestamp,
    toUInt64(toUnixTimestamp64Micro(now64(6)))
FROM $database.stream_ingest_metrics
WHERE ingestion_timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND ingestion_timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
