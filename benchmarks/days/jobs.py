"""A day of batch and BYOC jobs, as statements that make it: half of each, every tenth in a second version."""

from __future__ import annotations

from typing import Final

from days.database import DATABASE

_OF_A_DAY: Final = """
    SELECT number + {first:UInt64} AS id, id % 2 = 0 AS batch, lower(hex(sipHash64(id, 'job'))) AS request,
        cityHash64(id, 11) % 25 = 0 AS unserved, cityHash64(id, 12) % 20 = 0 AS failed,
        concat('gateway-', toString(cityHash64(id, 13) % 4)) AS gateway,
        ['text-to-image', 'upscale', 'audio-to-text', 'llm'][cityHash64(id, 14) % 4 + 1] AS pipeline,
        ['chat', 'comfy-render', 'transcribe'][cityHash64(id, 15) % 3 + 1] AS capability,
        concat('0x', leftPad(hex(cityHash64(id, 16) % 20), 40, '7')) AS orchestrator_address,
        concat('https://jobs', toString(cityHash64(id, 16) % 20), ':8935') AS orchestrator_url,
        200 + toInt64(cityHash64(id, 17) % 9000) AS duration_ms,
        fromUnixTimestamp64Milli(toInt64({day:UInt64} * 1000 + cityHash64(id, 18) % 86400000), 'UTC') AS start
    FROM numbers({jobs:UInt64})
"""
JOBS: Final = [
    f"""
    INSERT INTO {DATABASE}.fact_jobs_versions (
        job_id, job_type, request_id, gateway, pipeline, capability, model_id, received_at, completed_at, outcome,
        selection_outcome, attempts, duration_ms, ttft_ms, prompt_tokens, completion_tokens, total_tokens,
        finish_reason, http_status, orchestrator_url, orchestrator_address, attribution_status, price_per_unit,
        charged_wei, event_count, first_event_timestamp, last_event_timestamp, version)
    SELECT concat(if(batch, 'ai_batch|', 'byoc|'), request), if(batch, 'ai_batch', 'byoc'), request, gateway,
        if(batch, pipeline, ''), if(batch, '', capability),
        if(batch, concat('model-', toString(cityHash64(id, 19) % 6)), 'm1,m2'), start,
        start + toIntervalMillisecond(duration_ms), multiIf(unserved, 'no_orchestrator', failed, 'failed', 'success'),
        if(unserved, 'no_orch', 'selected'), 1, duration_ms, if(llm, 300, NULL), if(llm, 400, NULL),
        if(llm, 300, NULL), if(llm, 700, NULL), if(llm, 'stop', ''), if(batch, NULL, 200),
        if(unserved, '', orchestrator_url), if(unserved, '', orchestrator_address),
        if(unserved, 'unresolved', 'resolved'), 90, if(batch OR unserved, NULL, 90), if(batch, 2, 6), start,
        start + toIntervalMillisecond(duration_ms), arrayJoin(range(1, if(id % 10 = 0, 3, 2)))
    FROM (SELECT *, batch AND pipeline = 'llm' AS llm FROM ({_OF_A_DAY}))
    """,
    f"""
    INSERT INTO {DATABASE}.job_gateway_events (
        event_timestamp, raw_event_uid, ingestion_timestamp, request_id, gateway, capability, subtype,
        orchestrator_address, orchestrator_url, success, selected, duration_ms)
    SELECT start, concat(request, step), start, request, gateway, capability, step, orchestrator_address,
        orchestrator_url, NOT unserved, if(unserved, 0, 1), duration_ms
    FROM ({_OF_A_DAY})
    ARRAY JOIN [
        'job_orchestrator_discovery_result', 'job_gateway_submitted', 'job_gateway_completed'
    ] AS step
    WHERE NOT batch
    """,
]
"""Facts of jobs, and of events only those that views read."""
