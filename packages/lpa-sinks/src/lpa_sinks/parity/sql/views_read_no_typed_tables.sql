-- severity: fail
-- covers: 58
-- meaning: API views read facts, rollups and dimensions; of events they read payments, tickets, and what only counts
--   for jobs: discoveries, authorisation and workers.
-- to do: lpa schema apply makes the views of this version once the other is dropped
SELECT name, extractAll(as_select,
    '\\.`?((?:raw_)?(?:streaming_events\\w*|ai_stream_status|stream_ingest_metrics|stream_trace_events|network_capabilities\\w*|ai_stream_events|discovery_results))\\b') AS reads
FROM system.tables
WHERE database = 'livepeer_analytics' AND startsWith(name, 'v_') AND notEmpty(reads)
