"""The main job from Kafka against floors and peers, on the same topic of generated events, in one run.

Floors: consume and count; consume, decode and insert raw rows. Complete: `lpa ingest`. Peers: decode, required fields,
dedup, the same raw rows, in Quix Streams, Bytewax, Arroyo and ClickHouse's own Kafka engine; the last two keep dead
letters. All write to the embedded engine, which `lpa ingest` does once more with facts of sessions derived beside, in
the same process, as it does by default. What each stored is compared with the lines it should have. Then one worker
beside two, over HTTP to one database, and the time from producing to being queryable at an even pace, embedded and over
HTTP.

    ./dev bench kafka [--events N] [--rounds N] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable, Collection
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).with_name("kafka_jobs")))
from events_topic import EventsTopic
from jobs import Jobs, Run
from latency import latency

PEERS = {
    "Quix Streams": ("quix.py", "quixstreams==3.28.1"),
    "Bytewax": ("bytewax_flow.py", "bytewax[kafka]==0.21.1"),
    "Arroyo": ("arroyo_job.py", "sentry-arroyo==2.48.0"),
    "ClickHouse": ("kafka_engine.py", ""),
}
"""Program and what it needs installed; without that it runs in this environment."""
SECTIONS = ("jobs", "peers", "facts", "workers", "latency")
console = Console()


def _best(name: str, runs: int, run: Callable[[], Run]) -> Run | None:
    found = []
    for number in range(runs):
        try:
            found.append(run())
        except RuntimeError as error:
            console.print(f"{name} does not run: {error}")
            return None
        rate, cpu = found[-1]["read"] / found[-1]["seconds"], found[-1]["cpu_seconds"] / found[-1]["read"] * 1e6
        console.print(f"{name}, round {number + 1}: {rate:,.0f} events/s, {cpu:.1f} µs of processors an event")
    return min(found, key=lambda each: each["seconds"] / each["read"])


def _jobs(jobs: Jobs, rounds: int, only: Collection[str]) -> None:
    def fresh() -> str:
        folder = jobs.folder / uuid.uuid4().hex[:6]
        folder.mkdir()
        return str(folder)

    rows = {
        "(a) consume": _best("consume", rounds, lambda: jobs.script("consume.py")),
        "(b) consume, decode, insert raw": _best("raw", rounds, lambda: jobs.script("consume.py", fresh())),
        "(c) lpa ingest": _best("lpa ingest", rounds, lambda: jobs.workers(1, None, "alone")),
    }
    if "facts" in only:
        rows["(c) with facts beside"] = _best("lpa ingest with facts", rounds, lambda: jobs.workers(1, None))
    for name, (script, requirement) in (PEERS if "peers" in only else {}).items():
        rows[name] = _best(name, 1, lambda: jobs.script(script, fresh(), requirement=requirement))  # noqa: B023
    floor = rows["(b) consume, decode, insert raw"]
    assert floor is not None
    table = Table("job", "events/s", "µs/event", "of (b)", "processor µs/event", "of (b)", "peak memory")
    for name, run in rows.items():
        if run is not None:
            each = run["seconds"] / run["read"]
            table.add_row(
                name,
                f"{1 / each:,.0f}",
                f"{each * 1e6:.1f}",
                f"{floor['seconds'] / floor['read'] / each:.2f}",
                f"{run['cpu_seconds'] / run['read'] * 1e6:.1f}",
                f"{floor['cpu_seconds'] / floor['read'] / run['cpu_seconds'] * run['read']:.2f}",
                f"{run['peak_kib'] / 1024:,.0f} MiB",
            )
    console.print(table)
    stored = Table("job", "rows stored", "missing", "beside", "dead letters")
    for name, run in rows.items():
        if run is not None and "rows" in run:
            stored.add_row(name, *(f"{run.get(each, '-')}" for each in ("rows", "missing", "beside", "dead")))
    console.print(stored)
    complete = rows["(c) lpa ingest"]
    if complete is not None:
        stages = Table("stage of lpa ingest", "µs/event")
        for name, seconds in sorted(complete["stages"].items(), key=lambda item: -item[1]):
            stages.add_row(name, f"{seconds / jobs.topic.events * 1e6:.2f}")
        console.print(stages)


def _workers(jobs: Jobs) -> None:
    table = Table("workers", "events/s", "of one", "records each", title="Over HTTP to one database")
    one = 0.0
    for count in (1, 2):
        database = jobs.new_database()
        run = jobs.workers(count, database)
        database.close()
        rate = run["read"] / run["seconds"]
        one = one or rate
        table.add_row(str(count), f"{rate:,.0f}", f"{rate / one:.2f}", ", ".join(f"{done:,}" for done in run["done"]))
    console.print(table)


def _latency(jobs: Jobs, pace: int) -> None:
    database = jobs.new_database()
    of_a_server = latency(jobs, database, pace, 30)
    database.close()
    for where, found in (("embedded", latency(jobs, None, pace, 30)), ("over HTTP", of_a_server)):
        console.print(
            f"{pace:,} events/s, {where}, produce to queryable: median {statistics.median(found):.2f} s, "
            f"p99 {found[int(len(found) * 0.99)]:.2f} s, most {found[-1]:.2f} s ({len(found):,} events)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--pace", type=int, default=1000, help="events a second, for the latency")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    arguments = parser.parse_args()
    console.print(f"{arguments.events:,} events; {platform.machine()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        topic = EventsTopic(Path(folder), arguments.events)
        jobs = Jobs(Path(folder), topic)
        try:
            if {"jobs", "peers", "facts"} & {*arguments.only}:
                _jobs(jobs, arguments.rounds, arguments.only)
            if "workers" in arguments.only:
                _workers(jobs)
            if "latency" in arguments.only:
                _latency(jobs, arguments.pace)
        finally:
            topic.kafka.close()


if __name__ == "__main__":
    main()
