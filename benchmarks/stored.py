"""What an event costs with few and with many events stored, in the embedded database and the dedup store.

Each data folder is filled by `lpa ingest` from standard input, facts derived beside, with generated events of one
session per 2,000, and left alone until nothing is merged. Then events of other sessions, which go on in time where the
stored ones end and are the same but for that, are ingested into fresh copies of all folders in turn, with facts and
without. The figures are processor time of all threads, merges that fall into a run included, less that of a start that
reads nothing; medians of the rounds. All copies are alike, so a large merge that falls due in one round does in all:
"fill by tenths" is what the stored events themselves cost, with facts, where such merges are spread over many.

    ./dev bench stored [--stored FEW ... MANY] [--events N] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import attrs
from rich.console import Console
from rich.table import Table

from lpa_core.generate import generate
from lpa_core.generate.generator import START_MS
from lpa_sinks.clickhouse.client import connect, endpoint

LPA = str(Path(sys.executable).with_name("lpa"))
PER_SESSION = 2_000
QUIET_SECONDS = 5
VARIANTS = {"without facts": "--no-facts", "with facts": "--facts"}

console = Console()


@attrs.frozen
class Run:
    """One `lpa ingest`: its report, and what the system says of its process."""

    report: dict[str, Any]
    cpu: float
    """Seconds of all threads."""
    peak_mib: int
    reached: list[float]
    """Seconds of all threads when each tenth but the last was read."""


@attrs.define
class Filled:
    stored: int
    folder: Path
    newest_ms: int
    per_event: dict[str, list[float]] = attrs.Factory(lambda: {name: [] for name in VARIANTS})
    """Processor µs, of each round, by variant."""
    starts: list[float] = attrs.field(factory=list)
    """Processor seconds."""
    stages: list[dict[str, float]] = attrs.field(factory=list)
    """Of the rounds without facts: seconds by name."""
    peak_mib: int = 0

    @property
    def later(self) -> Path:
        return self.folder.with_suffix(".ndjson")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    few_and_many = [100_000, 10_000_000]
    parser.add_argument("--stored", type=int, nargs="+", default=few_and_many, help="the first is compared with")
    parser.add_argument("--events", type=int, default=1_000_000, help="measured at each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--settle", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.settle:
        _settle(arguments.settle)
        return
    libraries = ", ".join(f"{name} {version(name)}" for name in ("chdb-core", "clickhouse-connect", "rocksdict"))
    python = f"Python {platform.python_version()}, {libraries}"
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {python}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled = [_fill(folder / str(stored), stored) for stored in arguments.stored]
        nothing = folder / "nothing.ndjson"
        nothing.touch()
        for each in filled:
            with each.later.open("wb") as file:
                file.writelines(_lines(arguments.events, seed=2, start_ms=each.newest_ms))
        for _ in range(arguments.rounds):
            for variant in VARIANTS:
                for each in filled:
                    _measure(each, variant, nothing)
    _show(filled, arguments.events)


def _lines(count: int, seed: int, start_ms: int = START_MS) -> Iterator[bytes]:
    sessions = max(1, count // PER_SESSION)
    for record in generate(count, duplicates=0.02, bad=0.01, sessions=sessions, seed=seed, start_ms=start_ms):
        yield record + b"\n"


def _fill(folder: Path, stored: int) -> Filled:
    began = time.perf_counter()
    run = _ingest(folder, "-", "--facts", events=stored)
    seconds = time.perf_counter() - began
    reached = [0.0, *run.reached, run.cpu]
    tenths = [(after - before) / stored * 1e7 for before, after in pairwise(reached)]
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    console.print(
        f"filled with {run.report['accepted']:,} of {stored:,} in {seconds:,.0f} s: {run.cpu / stored * 1e6:.1f} µs of "
        f"processors an event, {size / 2**20:,.0f} MiB on disk; by tenths: {' '.join(f'{cost:.1f}' for cost in tenths)}"
    )
    # A process of its own: the embedded engine opens one folder a process.
    command = [sys.executable, __file__, "--settle", str(folder / "clickhouse")]
    newest = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return Filled(stored, folder, int(newest))


def _settle(database: Path) -> None:
    client, quiet = connect(endpoint(f"chdb://{database}", database="", user="")), 0
    while quiet < QUIET_SECONDS:
        time.sleep(1)
        merging = client.query("SELECT count() FROM system.merges").result_rows[0][0]
        quiet = 0 if merging else quiet + 1
    print(client.query("SELECT max(timestamp) FROM livepeer_analytics.streaming_events").result_rows[0][0])
    client.close()


def _measure(filled: Filled, variant: str, nothing: Path) -> None:
    copy = filled.folder.with_name("copy")
    shutil.copytree(filled.folder, copy, symlinks=True)
    os.sync()  # writing the copy down is no part of the run
    start = _ingest(copy, str(nothing), VARIANTS[variant])
    run = _ingest(copy, str(filled.later), VARIANTS[variant])
    shutil.rmtree(copy)
    filled.starts.append(start.cpu)
    filled.per_event[variant].append((run.cpu - start.cpu) / run.report["read"] * 1e6)
    filled.peak_mib = max(filled.peak_mib, run.peak_mib)
    if variant == "without facts":
        filled.stages.append(run.report["stages"])
    console.print(f"{filled.stored:,} stored, {variant}: {filled.per_event[variant][-1]:.1f} µs/event")


def _ingest(folder: Path, source: str, facts: str, *, events: int = 0) -> Run:
    """Run `lpa ingest` into the folder; from ``-`` it reads so many events."""
    report = folder.with_name("report.json")
    with report.open("wb") as output:
        process = subprocess.Popen(
            [LPA, "ingest", source, facts, "--json"],
            stdin=subprocess.PIPE if events else None,
            stdout=output,
            env={**os.environ, "LPA_DATA_DIR": str(folder)},
        )
        reached = []
        if process.stdin is not None:
            tenths = _lines(events, seed=1)
            with process.stdin as lines:
                for _ in range(9):
                    lines.writelines(islice(tenths, events // 10))
                    reached.append(_cpu(process.pid))
                lines.writelines(tenths)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    found = json.loads(report.read_bytes()) if not process.returncode else {}
    if not found or (events and found["read"] != events):
        raise SystemExit(f"lpa ingest {source} ended with {process.returncode}: {report.read_text()}")
    return Run(found, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, reached)


def _cpu(process: int) -> float:
    """Seconds of a running process."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")


def _show(filled: list[Filled], events: int) -> None:
    costs_of = (f"{variant}, µs/event" for variant in VARIANTS)
    table = Table("events stored", *costs_of, "start, s", "peak memory")
    for each in filled:
        cells = [f"{each.stored:,}"]
        for variant, few in filled[0].per_event.items():
            cost = median(each.per_event[variant])
            cells.append(f"{cost:.1f}" if each is filled[0] else f"{cost:.1f} ({cost / median(few):.2f} times)")
        table.add_row(*cells, f"{median(each.starts):.1f}", f"{each.peak_mib:,} MiB")
    console.print(table)
    stages = Table("stage, without facts: µs/event, waiting included", *(f"{each.stored:,}" for each in filled))
    for name in filled[0].stages[0]:
        costs = [median(stages[name] for stages in each.stages) / events * 1e6 for each in filled]
        stages.add_row(name, *(f"{cost:.2f}" for cost in costs))
    console.print(stages)


if __name__ == "__main__":
    main()
