"""A day of sessions, as statements that make it. Ids are in no order, as those of a gateway are not."""

from __future__ import annotations

from typing import Final

from days.database import DATABASE

IDENTITY: Final = """
    concat('stream-', lower(hex(sipHash64(id, 'stream')))) AS stream_id,
    concat('request-', lower(hex(sipHash64(id, 'request')))) AS request_id,
    concat(stream_id, '|', request_id) AS workflow_session_id,
    concat('gateway-', toString(cityHash64(id, 1) % 4)) AS gateway,
    if(unserved, '', concat('0x', leftPad(hex(cityHash64(id, 2) % 20), 40, '7'))) AS orchestrator_address,
    if(unserved, '', 'live-video-to-video') AS pipeline,
    concat('model-', toString(cityHash64(id, 3) % 3)) AS model_id,
    if(unserved, NULL, concat('GPU-', hex(cityHash64(id, 2) % 20), '-', toString(cityHash64(id, 4) % 2))) AS gpu_id
"""
"""Of session ``id``; ``unserved`` says that no orchestrator took it."""
OF_A_DAY: Final = """
    SELECT number + {first:UInt64} AS id, cityHash64(id, 5) % 20 = 0 AS unserved,
        fromUnixTimestamp64Milli(toInt64({day:UInt64} * 1000 + cityHash64(id, 6) % 86400000), 'UTC') AS start
    FROM numbers({sessions:UInt64})
"""

FACTS: Final = [
    f"""
    INSERT INTO {DATABASE}.fact_workflow_sessions_versions (
        workflow_session_id, stream_id, request_id, gateway, orchestrator_address, pipeline, model_id, gpu_id,
        session_start_ts, session_end_ts, known_stream, startup_success, startup_excused, startup_unexcused,
        confirmed_swap_count, swap_count, error_count, status_sample_count, health_signal_count,
        health_expected_signal_count, event_count, version)
    SELECT workflow_session_id, stream_id, request_id, gateway, orchestrator_address, pipeline, model_id, gpu_id, start,
        start + INTERVAL 5 MINUTE, id % 50 != 0, NOT unserved, unserved AND id % 2, unserved AND NOT id % 2,
        id % 30 = 0, id % 30 = 0, id % 17 = 0, {{samples:UInt64}}, if(unserved, 1, 3), 3, {{samples:UInt64}} + 5,
        arrayJoin(range(1, if(id % 10 = 0, 3, 2)))
    FROM (SELECT *, {IDENTITY} FROM ({OF_A_DAY}))
    """,
    f"""
    INSERT INTO {DATABASE}.fact_workflow_latency_samples_versions (
        workflow_session_id, stream_id, request_id, gateway, orchestrator_address, pipeline, model_id, gpu_id,
        sample_ts, prompt_to_first_frame_ms, startup_time_ms, e2e_latency_ms, has_prompt_to_first_frame,
        has_startup_time, has_e2e_latency, version)
    SELECT workflow_session_id, stream_id, request_id, gateway, orchestrator_address, pipeline, model_id, gpu_id, start,
        cityHash64(id, 7) % 10000, cityHash64(id, 8) % 5000, cityHash64(id, 9) % 15000, 1, 1, 1,
        arrayJoin(range(1, if(id % 10 = 0, 3, 2)))
    FROM (SELECT *, {IDENTITY} FROM ({OF_A_DAY}))
    """,
    f"""
    INSERT INTO {DATABASE}.fact_stream_status_samples_versions (
        workflow_session_id, stream_id, request_id, gateway, orchestrator_address, pipeline, model_id, gpu_id,
        sample_ts, state, output_fps, input_fps, is_attributed, source_event_uid, version)
    SELECT workflow_session_id, stream_id, request_id, gateway, orchestrator_address, pipeline, model_id, gpu_id,
        start + toIntervalSecond(10 * sample), if(sample = 0, 'LOADING', 'ONLINE'),
        if(sample = 0, 0, 5 + cityHash64(id, sample) % 2000 / 100), 30, NOT unserved,
        concat(toString(id), '-', toString(sample)), arrayJoin(range(1, if(id % 10 = 0, 3, 2)))
    FROM (SELECT *, {IDENTITY}, arrayJoin(range({{samples:UInt64}})) AS sample FROM ({OF_A_DAY}))
    """,
]
CLOSED: Final = f"""
    INSERT INTO {DATABASE}.fact_lifecycle_edge_coverage_versions (
        signal_ts, workflow_session_id, source_event_uid, is_terminal_signal, version)
    SELECT start + INTERVAL 5 MINUTE, workflow_session_id, concat('closed', toString(id)), 1, 1
    FROM (SELECT *, {IDENTITY} FROM ({OF_A_DAY}))
"""
PAYMENTS: Final = f"""
    INSERT INTO {DATABASE}.payment_events (event_timestamp, ingestion_timestamp, request_id, face_value)
    SELECT start + INTERVAL 1 MINUTE, start, request_id, '2402400000000000 WEI'
    FROM (SELECT *, {IDENTITY} FROM ({OF_A_DAY}))
"""
_OFFERS: Final = f"""
    SELECT toDateTime({{day:UInt64}} + 600 * (number % 144), 'UTC') AS at,
        toString(number) || toString({{day:UInt64}}) AS uid, *,
        concat('https://orchestrator', toString(cityHash64(id, 2) % 20), ':8935') AS orchestrator_url
    FROM (SELECT number, intDiv(number, 144) AS id, 0 AS unserved, {IDENTITY} FROM numbers(144 * 60))
"""
CAPABILITIES: Final = [
    f"""
    INSERT INTO {DATABASE}.dim_orchestrator_capability_snapshots_versions (
        snapshot_ts, source_event_uid, orchestrator_address, orchestrator_url, pipeline, model_id, gpu_id, gpu_name,
        gpu_memory_total, version)
    SELECT at, uid, orchestrator_address, orchestrator_url, pipeline, model_id, gpu_id, 'NVIDIA', 25769803776, 1
    FROM ({_OFFERS})
    """,
    f"""
    INSERT INTO {DATABASE}.dim_orchestrator_capability_model_constraints_versions (
        snapshot_ts, source_event_uid, orchestrator_address, orchestrator_url, model_id, capacity, warm, version)
    SELECT at, uid, orchestrator_address, orchestrator_url, model_id, 2, 1, 1
    FROM ({_OFFERS})
    """,
    f"""
    INSERT INTO {DATABASE}.dim_orchestrator_capability_prices_versions (
        snapshot_ts, source_event_uid, orchestrator_address, orchestrator_url, capability_id, price_per_unit,
        pixels_per_unit, version)
    SELECT at, uid, orchestrator_address, orchestrator_url, -1, 90, 1, 1
    FROM ({_OFFERS})
    """,
]
"""What 60 GPUs say of themselves every ten minutes."""
