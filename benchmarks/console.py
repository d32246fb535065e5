"""How long each page of the console takes over millions of stored events in chDB, by HTTP, with one client.

A share of the events is ingested with facts. The rest are copies of what that stored, made by the database: an hour
earlier each, under keys, positions and sessions of their own. "processor" is what all processors did for a request, on
average; it says more than the time where the machine has other work. The checks of a round are those that the console
runs while somebody looks, one after the other.

    ./dev bench console [--events N] [--copies N] [--rounds N] [--folder FOLDER]

FOLDER is filled if it has no database, and kept.
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import quote, urlsplit

import attrs
from clickhouse_connect.driver.client import Client
from rich import box
from rich.console import Console
from rich.table import Table

from lpa_core.generate import generate
from lpa_core.health.check import Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.report import HealthReport
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_ops.console.access import Access
from lpa_ops.console.app import console_app
from lpa_ops.console.backups import KnownBackups
from lpa_ops.console.database import ConsoleDatabase
from lpa_ops.console.page import ConsoleSources
from lpa_ops.console.partitions import PartitionReport
from lpa_ops.console.query import QueryBox
from lpa_ops.console.replay_jobs import ReplayJobs
from lpa_ops.trace.gather import Surroundings
from lpa_ops.web.server import WebServer
from lpa_replay.staging.trial import RepairTrial
from lpa_sinks.clickhouse.client import Endpoint, connect, endpoint
from lpa_sinks.clickhouse.readers import Readers

LPA: Final = str(Path(sys.executable).with_name("lpa"))
DATABASE: Final = "livepeer_analytics"
PER_SESSION: Final = 500
HOUR_MS: Final = 3_600_000
MOST_MS: Final = 200

_EARLIER: Final = "ingestion_timestamp - toIntervalHour({copy:UInt32}) AS ingestion_timestamp"
_POSITION: Final = "source_offset + {copy:UInt32} * {events:UInt64} AS source_offset"
_SESSION: Final = "concat(workflow_session_id, '-', toString({copy:UInt32})) AS workflow_session_id"
COPIED: Final = {
    "streaming_events": f"concat(id, '-', toString({{copy:UInt32}})) AS id, "
    f"concat(dedup_key, '-', toString({{copy:UInt32}})) AS dedup_key, {_POSITION}, {_EARLIER}, "
    "timestamp - {copy:UInt32} * 3600000 AS timestamp",
    "streaming_events_dlq": f"{_POSITION}, {_EARLIER}",
    "streaming_events_quarantine": f"{_POSITION}, {_EARLIER}",
    "fact_workflow_sessions_versions": f"{_SESSION}, {_EARLIER}, "
    "session_start_ts - toIntervalHour({copy:UInt32}) AS session_start_ts, "
    "session_end_ts - toIntervalHour({copy:UInt32}) AS session_end_ts",
    "fact_workflow_session_segments_versions": f"{_SESSION}, {_EARLIER}",
    "fact_jobs_versions": "concat(job_id, '-', toString({copy:UInt32})) AS job_id, "
    "first_event_timestamp - toIntervalHour({copy:UInt32}) AS first_event_timestamp, "
    "received_at - toIntervalHour({copy:UInt32}) AS received_at",
}
"""Table -> what its copied rows have of their own."""

console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000, help="stored in all")
    parser.add_argument("--copies", type=int, default=40, help="of the events that are ingested, these among them")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    libraries = f"Python {platform.python_version()}, chdb-core {version('chdb-core')}"
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {libraries}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        to = endpoint(f"chdb://{folder / 'clickhouse'}", database=DATABASE, user="")
        if not (folder / "clickhouse").exists():
            fill(folder, to, arguments.events, arguments.copies)
        measure(folder, to, arguments.rounds)


def fill(folder: Path, to: Endpoint, events: int, copies: int) -> None:
    ingested = events // copies
    lines = generate(
        ingested,
        duplicates=0.01,
        bad=0.005,
        sessions=max(1, ingested // PER_SESSION),
        jobs=0.1,
        seed=1,
        start_ms=time.time_ns() // 1_000_000 - HOUR_MS,
    )
    began = time.perf_counter()
    environment = {**os.environ, "LPA_DATA_DIR": str(folder)}
    command = [LPA, "ingest", "-", "--facts"]
    subprocess.run(command, input=b"\n".join(lines) + b"\n", env=environment, check=True, stdout=subprocess.DEVNULL)
    with closing(connect(to)) as client:
        for table, own in COPIED.items():
            _copy(client, table, own, ingested, copies)
    console.print(f"filled in {time.perf_counter() - began:,.0f} s")


def _copy(client: Client, table: str, own: str, events: int, copies: int) -> None:
    """Add the copies; each is made of the rows that were ingested, which are put aside."""
    aside = f"{DATABASE}.ingested"
    client.command(f"CREATE TABLE {aside} ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM {DATABASE}.{table}")
    for copy in range(1, copies):
        client.command(
            f"INSERT INTO {DATABASE}.{table} SELECT * REPLACE ({own}) FROM {aside}",
            parameters={"copy": copy, "events": events},
        )
    client.command(f"DROP TABLE {aside} SYNC")


def measure(folder: Path, to: Endpoint, rounds: int) -> None:
    settings = attrs.evolve(Settings(), lpa=attrs.evolve(Settings().lpa, data_dir=folder))
    sink = f"chdb://{folder / 'clickhouse'}"
    with closing(Readers(to, "", 300)) as readers:
        stored = readers.run(lambda client: client.command(f"SELECT count() FROM {DATABASE}.streaming_events"))
        console.print(f"{int(str(stored)):,} accepted events are stored")
        report = checks(settings, sink)
        sources = ConsoleSources(
            database=ConsoleDatabase(readers, DATABASE, 300),
            health=lambda: report,
            trends=dict,
            partitions=PartitionReport,
            backups=KnownBackups,
            surroundings=Surroundings(settings, sink),
            query=QueryBox(to, "", 10).ask,
            repairs=RepairTrial(settings, PluginManager(settings)),
            replays=ReplayJobs(settings.lpa.data.console_replays, settings.lpa.data.replays, sink),
        )
        server = WebServer(
            console_app(sources, Access("", {"127.0.0.1"}, b"secret")), "127.0.0.1:0", name="console", setting="-"
        )
        serving = threading.Thread(target=server.run)
        serving.start()
        try:
            pages(server.url, _addresses(readers), rounds)
        finally:
            server.stop()
            serving.join()


def checks(settings: Settings, sink: str) -> HealthReport:
    """Ask each check once, and print what it took."""
    now_ms = time.time_ns() // 1_000_000
    scope = Scope(settings, now_ms, now_ms - settings.health.window_hours * HOUR_MS, sink, shared=True)
    table = Table(title="A check: ms", box=box.SIMPLE)
    for name in ("check", "time", "processor"):
        table.add_column(name, justify="left" if name == "check" else "right")
    results = []
    for check in PluginManager(settings).health_checks():
        busy = time.process_time()
        (result,) = CheckRunner([check], settings, 600).run(scope)
        table.add_row(check.name, f"{result.seconds * 1000:,.0f}", f"{(time.process_time() - busy) * 1000:,.0f}")
        results.append(result)
    console.print(table)
    return HealthReport(results)


def _addresses(readers: Readers) -> list[str]:
    def one(sql: str) -> str:
        return str(readers.run(lambda client: client.query(sql)).result_rows[0][0])

    at = "concat(source_topic, '/', toString(source_partition), '/', toString(source_offset))"
    record = one(f"SELECT {at} FROM {DATABASE}.streaming_events_dlq ORDER BY ingestion_timestamp DESC LIMIT 1")
    accepted = one(f"SELECT {at} FROM {DATABASE}.streaming_events LIMIT 1")
    event = one(f"SELECT id FROM {DATABASE}.streaming_events LIMIT 1")
    session = one(f"SELECT workflow_session_id FROM {DATABASE}.fact_workflow_sessions_versions LIMIT 1")
    job = one(f"SELECT job_id FROM {DATABASE}.fact_jobs_versions LIMIT 1")
    return [
        *("flow", "flow?since=1h", "flow?since=7d", "health"),
        *("failures", "failures?since=7d", "failures?place=quarantine", f"failures?sought={quote(event)}"),
        f"failures/record?at={quote(record, safe='')}",
        *("sessions", f"sessions?sought={quote(session)}", f"sessions/session?id={quote(session)}"),
        f"sessions/job?id={quote(job)}",
        *(f"trace?of={quote(of, safe='')}" for of in (record, accepted, event, session)),
        *("data", "data/table?name=streaming_events", "query"),
    ]


def pages(url: str, addresses: list[str], rounds: int) -> None:
    table = Table(title="A request: ms", box=box.SIMPLE)
    for name in ("page", "bytes", "median", "longest", "processor", ""):
        table.add_column(name, justify="left" if name == "page" else "right", no_wrap=True)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
    for address in addresses:
        path, _, query = address.partition("?")
        for asked in (address, f"{path}.json?{query}"):
            times, size = [], 0
            busy = time.process_time()
            for _ in range(rounds + 1):
                began = time.perf_counter()
                connection.request("GET", f"/{asked}")
                answer = connection.getresponse()
                size = len(answer.read())
                times.append((time.perf_counter() - began) * 1000)
                assert answer.status == 200, asked
            busy = (time.process_time() - busy) * 1000 / (rounds + 1)
            late = "over" if median(times[1:]) > MOST_MS else ""
            figures = (f"{median(times[1:]):,.0f}", f"{max(times[1:]):,.0f}", f"{busy:,.0f}", late)
            table.add_row(asked[:60], f"{size:,}", *figures)
    console.print(table)


if __name__ == "__main__":
    main()
