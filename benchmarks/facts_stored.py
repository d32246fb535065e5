"""What facts cost beside a database: how far behind they are while events come, and how fast a day is made anew.

"live": generated events in ranges of a second, stored in the embedded database by one thread, derived from by another,
as `lpa ingest` does it; how old a range is when its facts are there. "rebuild": statuses of a day, put there by
the database itself, made into facts anew by `lpa materialize rebuild`'s code; rows a second, and the peak of memory.
Each runs in a process of its own.

    ./dev bench facts_stored [--rate N] [--seconds N] [--sessions N] [--rows N]
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
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, final

from rich.console import Console
from rich.table import Table

from lpa_core import logs
from lpa_core.delivery.derivation import Derivation
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.generate.generator import generate
from lpa_core.jobs.process import prompt_handover, quiet_collector, trim_memory
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.clickhouse.client import connect, endpoint
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.row_filter import TimeSpan
from lpa_sinks.testing.stored_events import StoredEvents

DATABASE = "benchmark"
DAY_MS = 86_400_000
MIDNIGHT = 1_767_830_400_000
STATUSES = """
INSERT INTO benchmark.ai_stream_status (event_timestamp, raw_event_uid, source_topic, source_partition, source_offset,
    stream_id, request_id, gateway, orchestrator_address, pipeline, output_fps, state)
SELECT fromUnixTimestamp64Milli({midnight:Int64} + toInt64(number / {rows:UInt64} * 86400000)), toString(number),
    'events', 0, number, concat('stream-', toString(number % {sessions:UInt64})), 'r', 'gateway',
    concat('0xproxy', toString(number % {sessions:UInt64} % 50)), 'model', 20, 'ONLINE'
FROM numbers({rows:UInt64})
"""
CAPABILITIES = """
INSERT INTO benchmark.network_capabilities (event_timestamp, raw_event_uid, source_topic, source_offset,
    orchestrator_address, local_address, orch_uri, gpu_id, pipeline, model_id, capability_id)
SELECT fromUnixTimestamp64Milli({midnight:Int64} + 60000 * intDiv(number, 50)), toString(number), 'capabilities',
    number, concat('0xcanonical', toString(number % 50)), concat('0xproxy', toString(number % 50)), 'https://orchestrator',
    concat('GPU-', toString(number % 50)), 'live', 'model', 35
FROM numbers(50 * 1440)
"""

console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=5_000, help="events a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--sessions", type=int, default=2_000, help="running at once")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the day that is rebuilt")
    parser.add_argument("--part", choices=("live", "rebuild"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        with tempfile.TemporaryDirectory() as folder:
            store = StoredEvents(connect(endpoint(f"chdb://{Path(folder) / 'd'}", database="", user="")), DATABASE)
            logs.configure("json", "error")
            run = live if arguments.part == "live" else rebuild
            print(json.dumps(run(store, arguments)))
        return
    chdb = f"chdb-core {version('chdb-core')}"
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {chdb}")
    for part in ("live", "rebuild"):
        done = subprocess.run([sys.executable, *sys.argv, "--part", part], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        table = Table(part, "")
        for name, value in json.loads(done.stdout.splitlines()[-1]).items():
            table.add_row(name, f"{value:,}")
        console.print(table)


@final
class Deriving:
    """What `lpa ingest` derives with, and how old ranges were when their facts were there."""

    exclusive = True

    def __init__(self, store: StoredEvents) -> None:
        self._materializer = store.materializer(open_sessions=20_000)
        self.stored: dict[StoredRange, float] = {}
        self.ages: list[float] = []
        self.passes = 0

    def expect(self, stored: StoredRange) -> None:
        """There is no crash to remember it for."""

    def derive(self, stored: Sequence[StoredRange], rules: FoldRules) -> Derived:
        if not stored:
            return Derived()
        done = self._materializer.update(stored)
        self.passes += 1
        self.ages += (time.monotonic() - self.stored[each] for each in stored)
        return done


def live(store: StoredEvents, arguments: argparse.Namespace) -> dict[str, Any]:
    deriving = Deriving(store)
    derivation = Derivation([deriving], FoldRules())
    total = arguments.rate * arguments.seconds
    with quiet_collector(), prompt_handover():
        derivation.start()
        offset, began, busy = 0, time.monotonic(), 0.0
        for number, records in enumerate(_seconds(total, arguments)):
            time.sleep(max(0.0, began + number - time.monotonic()))
            at = time.monotonic()
            stored = store.store(records, offset, batch_time=time.time_ns() // 1_000_000)
            busy += time.monotonic() - at
            deriving.stored[stored] = time.monotonic()
            derivation.step(Step.FINISHED, Range(stored.topic, stored.partition, 0, 1, 1, "", stored.batch_time))
            offset += len(records)
        took = time.monotonic() - began
        derivation.close()
    ages = sorted(deriving.ages)
    (sessions,) = store.query("SELECT count(), sum(event_count) FROM $.fact_workflow_sessions")
    return {
        "events a second": round(total / took),
        "storing them took, share of the time": round(busy / took, 2),
        "sessions": sessions[0],
        "signals": sessions[1],
        "passes": deriving.passes,
        "behind, median, s": round(ages[len(ages) // 2], 2),
        "behind, 95 %, s": round(ages[int(len(ages) * 0.95)], 2),
        "behind, most, s": round(ages[-1], 2),
        "peak of memory, MiB": _peak(),
    }


def _seconds(total: int, arguments: argparse.Namespace) -> Iterator[Sequence[bytes]]:
    """The events of each second."""
    # A stream is told of 24 events at least, and lasts a while: so many run at once.
    events = generate(total, duplicates=0, bad=0, sessions=arguments.sessions, seed=1)
    while some := list(islice(events, arguments.rate)):
        yield some


def rebuild(store: StoredEvents, arguments: argparse.Namespace) -> dict[str, Any]:
    values = {"midnight": MIDNIGHT, "rows": arguments.rows, "sessions": 5_000}
    for statement in (STATUSES, CAPABILITIES):
        store.client.command(statement, parameters=values)
    trim_memory()
    Path("/proc/self/clear_refs").write_text("5")  # filling the tables has a peak of its own
    before = _peak()
    work = Rebuild(store.database, FoldRules(), TimeSpan(MIDNIGHT, MIDNIGHT + DAY_MS - 1))
    with quiet_collector():
        began = time.perf_counter()
        work.prepare()
        signals = 0
        while (progress := work.step()) is not None:
            signals += progress.signals
        took = time.perf_counter() - began
    return {
        "typed rows": signals,
        "rows a second": round(signals / took),
        "µs a row": round(took / signals * 1e6, 1),
        "memory before, MiB": before,
        "peak of memory, MiB": _peak(),
    }


def _peak() -> int:
    """MiB of resident memory, since it was last reset."""
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
