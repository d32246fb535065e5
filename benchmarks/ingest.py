"""The embedded main job against its floor, on the same generated file, in one run.

Floor: decode with orjson and insert the raw columns into chDB; no validation, no dedup, no typed rows.
Complete: `lpa ingest`. Each is a process of its own; the best of several alternating rounds counts.

    ./dev bench ingest [--events N] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FLOOR = """
import itertools, json, resource, sys, time
import clickhouse_connect, orjson
path, folder, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = clickhouse_connect.get_client(interface="chdb", path=folder)
client.command("CREATE DATABASE floor")
client.command('''CREATE TABLE floor.raw (id String, type LowCardinality(String), timestamp Int64, gateway String,
    raw_json String, event_date Date32 MATERIALIZED toDate32(fromUnixTimestamp64Milli(timestamp)))
    ENGINE = MergeTree PARTITION BY toYYYYMM(event_date) ORDER BY (event_date, type, timestamp)''')
names = ["id", "type", "timestamp", "gateway", "raw_json"]
types = [clickhouse_connect.datatypes.registry.get_from_name(name)
         for name in ("String", "LowCardinality(String)", "Int64", "String", "String")]
started, read = time.perf_counter(), 0
with open(path, "rb") as file:
    while lines := list(itertools.islice(file, size)):
        read += len(lines)
        columns = [[], [], [], [], []]
        ids, kinds, times, gateways, texts = (column.append for column in columns)
        for line in lines:
            try:
                event = orjson.loads(line)
                time_ = int(event["timestamp"])
                kind = event["type"]
            except (ValueError, TypeError, KeyError):
                continue
            ids(event.get("id") or ""), kinds(str(kind)), times(time_), gateways(event.get("gateway") or "")
            texts(line)
        client.insert("raw", columns, column_names=names, column_types=types, column_oriented=True, database="floor")
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"read": read, "seconds": seconds, "peak_kib": peak}))
"""

COMPLETE = """
import json, resource, sys
from lpa_core.cli import run
status = run(["ingest", *sys.argv[1:], "--json"])
print(json.dumps({"peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}), file=sys.stderr)
sys.exit(status)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=30_000, help="records per insert, for both")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.ndjson"
        options = ["--events", str(arguments.events), "--duplicates", "0.02", "--bad", "0.01", "--seed", "1"]
        subprocess.run([_lpa(), "generate", *options, "--output", str(events)], check=True)
        floors, completes, derived = [], [], []
        for number in range(arguments.rounds):
            floors.append(_floor(events, Path(folder) / f"floor-{number}", arguments.batch))
            completes.append(_complete(events, Path(folder) / f"complete-{number}", arguments.batch, "--no-facts"))
            derived.append(_complete(events, Path(folder) / f"derived-{number}", arguments.batch, "--facts"))
        size = events.stat().st_size
    _show(floors, completes, derived, arguments.events, size)


def _lpa() -> str:
    return str(Path(sys.executable).with_name("lpa"))


def _floor(events: Path, folder: Path, batch: int) -> dict[str, Any]:
    command = [sys.executable, "-c", FLOOR, str(events), str(folder), str(batch)]
    result: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return result


def _complete(events: Path, folder: Path, batch: int, facts: str) -> dict[str, Any]:
    environment = {**os.environ, "LPA_DATA_DIR": str(folder), "CLICKHOUSE_SINK_MAX_BATCH_SIZE": str(batch)}
    command = [sys.executable, "-c", COMPLETE, str(events), facts]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    result: dict[str, Any] = json.loads(done.stdout)
    if facts == "--facts":
        result["seconds"] = time.perf_counter() - started  # they end after the last event
    return {**result, **json.loads(done.stderr.splitlines()[-1])}


def _show(
    floors: list[dict[str, Any]],
    completes: list[dict[str, Any]],
    derived: list[dict[str, Any]],
    events: int,
    size: int,
) -> None:
    console = Console()
    floor = min(floors, key=lambda run: run["seconds"])
    complete = min(completes, key=lambda run: run["seconds"])
    console.print(
        f"{events:,} events, {size / events:.0f} bytes each, best of {len(floors)}; {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, chdb {version('chdb-core')}, "
        f"clickhouse-connect {version('clickhouse-connect')}, msgspec {version('msgspec')}"
    )
    table = Table("job", "events/s", "µs/event", "of the floor", "peak memory")
    with_facts = min(derived, key=lambda run: run["seconds"])
    for name, run in (("floor", floor), ("lpa ingest --no-facts", complete), ("lpa ingest", with_facts)):
        table.add_row(
            name,
            f"{run['read'] / run['seconds']:,.0f}",
            f"{run['seconds'] / run['read'] * 1e6:.1f}",
            f"{floor['seconds'] / run['seconds']:.2f}",
            f"{run['peak_kib'] / 1024:,.0f} MiB",
        )
    console.print(table)
    stages = Table("stage of lpa ingest", "µs/event", title="Reading and judging overlap with writing")
    for name, seconds in sorted(complete["stages"].items(), key=lambda item: -item[1]):
        stages.add_row(name, f"{seconds / complete['read'] * 1e6:.2f}")
    console.print(stages)


if __name__ == "__main__":
    main()
