"""Replays against `lpa ingest`, on the same events, in one run.

Three ways in: the archive, a file of records, the table of dead letters with a fix. Each into an empty embedded
database, each command a process of its own; the best of several rounds counts. Then the planning of as many envelopes
in the table as are wanted: rate and memory.

    ./dev bench replay [--events N] [--rounds N] [--plan N]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RUN = """
import json, resource, sys, time
from lpa_core.cli import run
started = time.perf_counter()
status = run(sys.argv[1:])
print(json.dumps({"seconds": time.perf_counter() - started,
                  "cpu": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
                  "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}), file=sys.stderr)
sys.exit(status)
"""
FIX = """
[[fix]]
reason = "missing_field"
where = [{ path = "data.pipeline", missing = true }]
steps = [{ set = "data.pipeline", value = "live-video-to-video" }]
"""
BROKEN = (
    '{{"id":"e-{n}","type":"ai_stream_events","timestamp":{moment},"version":"1","gateway":"gateway","data":{{"type":"error",'
    '"stream_id":"stream-{n}","request_id":"request-{n}","message":"{text}","capability":"35"}}}}\n'
)
START = 1_767_873_600_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=2, help="0: only the planning")
    parser.add_argument("--plan", type=int, default=1_000_000, help="envelopes to plan for; 0: leave that out")
    arguments = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name, figures in _round(Path(folder), arguments.events):
                results.setdefault(name, []).append(figures)
    if results:
        _show(results, arguments.events)
    if arguments.plan:
        with tempfile.TemporaryDirectory() as folder:
            _plan(Path(folder), arguments.plan)


def _round(folder: Path, events: int) -> Iterator[tuple[str, dict[str, Any]]]:
    options = ["--events", str(events), "--duplicates", "0.02", "--bad", "0.01", "--seed", "1"]
    _lpa(folder, "unused", "generate", *options, "--output", "events.ndjson", json_=False)
    yield "lpa ingest", _lpa(folder, "first", "ingest", "events.ndjson", "--archive", "archive")
    replay = ("replay", "run", "--all")
    yield "from archive", _lpa(folder, "second", *replay, "--from", "archive", "--archive", "archive")
    shutil.rmtree(folder / "second")
    yield "from a file", _lpa(folder, "third", *replay, "--from", "events.ndjson")
    shutil.rmtree(folder / "third")
    _write_broken(folder / "broken.ndjson", events)
    (folder / "fix.toml").write_text(FIX)
    _lpa(folder, "fourth", "ingest", "broken.ndjson")
    yield "from dlq-table, fixed", _lpa(folder, "fourth", *replay, "--fix", "fix.toml")
    mended = folder / "mended.ndjson"
    mended.write_text(
        (folder / "broken.ndjson").read_text().replace('"type":"error",', '"type":"error","pipeline":"p",')
    )
    yield "lpa ingest of the same, mended", _lpa(folder, "fifth", "ingest", "mended.ndjson")


def _plan(folder: Path, envelopes: int) -> None:
    _write_broken(folder / "broken.ndjson", envelopes)
    (folder / "fix.toml").write_text(FIX)
    _lpa(folder, "data", "ingest", "broken.ndjson")
    figures = _lpa(folder, "data", "replay", "plan", "--all", "--fix", "fix.toml", "--output", "plan.json")
    print(
        f"planning {envelopes:,} envelopes in the table: {envelopes / figures['seconds']:,.0f} a second, "
        f"{figures['peak_kib'] / 1024:,.0f} MiB"
    )


def _write_broken(file: Path, events: int) -> None:
    text = "connection to the orchestrator was reset while a segment was being processed " * 4
    with file.open("w") as lines:
        lines.writelines(BROKEN.format(n=number, moment=START + number, text=text) for number in range(events))


def _lpa(folder: Path, data: str, *arguments: str, json_: bool = True) -> dict[str, Any]:
    command = [sys.executable, "-c", RUN, *arguments, *(("--json",) if json_ else ())]
    environment = {**os.environ, "LPA_DATA_DIR": str(folder / data), "LPA_LOG_LEVEL": "error"}
    with _told(arguments):
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
    figures: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return figures


@contextmanager
def _told(arguments: tuple[str, ...]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"{time.perf_counter() - started:7.1f} s  lpa {' '.join(arguments)}", file=sys.stderr)


def _show(results: dict[str, list[dict[str, Any]]], events: int) -> None:
    best = {name: min(runs, key=lambda run: run["seconds"]) for name, runs in results.items()}
    table = Table("job", "events/s", "CPU µs/event", "of lpa ingest", "peak memory")
    for name, run in best.items():
        against = best["lpa ingest of the same, mended" if "dlq" in name else "lpa ingest"]
        table.add_row(
            name,
            f"{events / run['seconds']:,.0f}",
            f"{run['cpu'] / events * 1e6:.1f}",
            f"{against['seconds'] / run['seconds']:.2f}",
            f"{run['peak_kib'] / 1024:,.0f} MiB",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
