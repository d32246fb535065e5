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
from days.database import DATABASE, DAY
from days.fill import console, fill
from rich import box
from rich.table import Table

from lpa_sinks.clickhouse.client import connect, endpoint
from lpa_sinks.schema import apply

VIEWS: Final = {
    "v_api_gpu_metrics": "window_start",
    "v_api_network_demand": "window_start",
    "v_api_network_demand_by_gpu": "window_start",
    "v_api_sla_compliance": "window_start",
    "v_api_jitter_5m": "window_start_5m",
    "v_api_session_identity": "session_start_ts",
    "v_health_rollup_freshness": "",
}


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
