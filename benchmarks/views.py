"""How long the API views take over days of sessions in chDB, and what reading the latest versions costs.

Sessions, latency and status samples are made by INSERT ... SELECT, a day at a time, every tenth session in a second
version; then rolled up as lpa does. Each view is read whole, and once for the last day only, as a dashboard asks.
"processor": what both cores did, on average; it says more than the time where the machine has other work. "FINAL": all
columns of a table, with and without merging versions. Medians.

    ./dev bench views [--days N] [--sessions N] [--samples N]
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

from clickhouse_connect.driver.client import Client
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lpa_sinks.clickhouse.client import connect, endpoint
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.rollups import ChangedSamples, roll_up
from lpa_sinks.materialize.row_filter import SessionName
from lpa_sinks.schema import apply

DATABASE: Final = "views"
VIEWS: Final = {
    "v_api_gpu_metrics": "window_start",
    "v_api_network_demand": "window_start",
    "v_api_network_demand_by_gpu": "window_start",
    "v_api_sla_compliance": "window_start",
    "v_api_jitter_5m": "window_start_5m",
    "v_api_session_identity": "session_start_ts",
    "v_health_rollup_freshness": "",
}
DAY: Final = 86_400
IDENTITY: Final = """
    concat('stream', toString(id), '|request', toString(id)) AS workflow_session_id,
    concat('stream', toString(id)) AS stream_id,
    concat('request', toString(id)) AS request_id,
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
PAYMENTS: Final = f"""
    INSERT INTO {DATABASE}.payment_events (event_timestamp, ingestion_timestamp, request_id, face_value)
    SELECT start + INTERVAL 1 MINUTE, start, concat('request', toString(id)), '2402400000000000 WEI'
    FROM ({OF_A_DAY})
"""
CAPABILITIES: Final = [
    f"""
    INSERT INTO {DATABASE}.dim_orchestrator_capability_snapshots_versions (
        snapshot_ts, source_event_uid, orchestrator_address, pipeline, model_id, gpu_id, gpu_name,
        gpu_memory_total, version)
    SELECT toDateTime({{day:UInt64}} + 600 * (number % 144), 'UTC'), toString(number) || toString({{day:UInt64}}),
        orchestrator_address, pipeline, model_id, gpu_id, 'NVIDIA', 25769803776, 1
    FROM (SELECT number, intDiv(number, 144) AS id, 0 AS unserved, {IDENTITY} FROM numbers(144 * 60))
    """,
    f"""
    INSERT INTO {DATABASE}.dim_orchestrator_capability_model_constraints_versions (
        snapshot_ts, source_event_uid, orchestrator_address, model_id, capacity, version)
    SELECT toDateTime({{day:UInt64}} + 600 * (number % 144), 'UTC'), toString(number) || toString({{day:UInt64}}),
        orchestrator_address, model_id, 2, 1
    FROM (SELECT number, intDiv(number, 144) AS id, 0 AS unserved, {IDENTITY} FROM numbers(144 * 60))
    """,
]

console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--sessions", type=int, default=5_000, help="sessions a day")
    parser.add_argument("--samples", type=int, default=30, help="status samples a session, one every 10 seconds")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        client = connect(endpoint(f"chdb://{Path(folder) / 'clickhouse'}", database=DATABASE, user=""))
        apply(client, DATABASE, [])
        today = int(time.time()) // DAY * DAY
        fill(client, today, arguments.days, arguments.sessions, arguments.samples)
        _views(client, today, arguments.rounds)
        _latest_versions(client, arguments.rounds)
        client.close()
    console.print(f"{platform.machine()}, Python {platform.python_version()}, chdb-core {version('chdb-core')}")


def fill(client: Client, today: int, days: int, sessions: int, samples: int) -> None:
    """Make the days before ``today``, epoch seconds, and roll them up."""
    seconds = 0.0
    database = FactDatabase(client, DATABASE)
    for number in track(range(days), "making days", console=console):
        day = today - (days - number) * DAY
        values = {"first": number * sessions, "day": day, "sessions": sessions, "samples": samples}
        for insert in [*FACTS, PAYMENTS, *CAPABILITIES]:
            client.command(insert, parameters=values)
        began = time.perf_counter()
        changed = ChangedSamples()
        changed.add([day + minute * 60 for minute in range(25 * 60)], _sessions_of(client, day))
        roll_up(database, changed)
        seconds += time.perf_counter() - began
    console.print(
        f"{days * sessions:,} sessions, {days * sessions * samples:,} samples; "
        f"a day rolled up in {seconds / days:.2f} s"
    )


def _sessions_of(client: Client, day: int) -> list[SessionName]:
    samples = f"{DATABASE}.fact_stream_status_samples_versions"
    found = client.query(f"SELECT DISTINCT org, workflow_session_id FROM {samples} WHERE sample_ts >= {day}")
    return [SessionName(*each) for each in found.result_rows]


def _views(client: Client, today: int, rounds: int) -> None:
    table = Table(title="Reading a view: ms", box=box.SIMPLE)
    for name in ("view", "rows", "whole", "most", "processor", "last day"):
        table.add_column(name, justify="left" if name == "view" else "right", no_wrap=True)
    for view, window in VIEWS.items():
        read = f"SELECT * FROM {DATABASE}.{view}"
        busy = time.process_time()
        whole = _times(lambda read=read: client.command(f"{read} FORMAT Null"), rounds)
        busy = (time.process_time() - busy) * 1000 / (rounds + 1)
        row = [
            view,
            f"{client.command(f'SELECT count() FROM ({read})'):,}",
            f"{median(whole):.0f}",
            f"{max(whole):.0f}",
            f"{busy:.0f}",
        ]
        if window:
            last = f"{read} WHERE {window} >= toDateTime({today - DAY}) FORMAT Null"
            row.append(f"{median(_times(lambda last=last: client.command(last), rounds)):.0f}")
        table.add_row(*row)
    console.print(table)


def _latest_versions(client: Client, rounds: int) -> None:
    table = Table(title="Reading all columns of all rows: ms", box=box.SIMPLE)
    for name in ("table", "rows", "without FINAL", "FINAL"):
        table.add_column(name, justify="left" if name == "table" else "right", no_wrap=True)
    for name in ("fact_workflow_sessions", "fact_stream_status_samples", "agg_session_performance_1h"):
        stored = f"{DATABASE}.{name}_versions"
        plain, final = (
            median(_times(lambda sql=f"SELECT * FROM {stored} {final} FORMAT Null": client.command(sql), rounds))
            for final in ("", "FINAL")
        )
        table.add_row(name, f"{client.command(f'SELECT count() FROM {stored}'):,}", f"{plain:.0f}", f"{final:.0f}")
    console.print(table)


def _times(read: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of each round but the first, which warms up."""
    found = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        read()
        found.append((time.perf_counter() - began) * 1000)
    return found[1:]


if __name__ == "__main__":
    main()
