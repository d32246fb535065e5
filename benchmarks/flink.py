"""The job on Flink beside `lpa ingest`, on the same generated events, over HTTP to ClickHouse, in one run.

Each reads a topic of its own while it is filled. Counted are the processors of what has to run beside broker and
database: of the job the job manager and the task manager with its Pythons, of lpa the worker. ./dev flink makes the
cluster's environment and the jar.

    ./dev bench flink [--events N] [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from flink.place import FlinkPlace
from services.kafka import KafkaCluster

from lpa_core.generate.generator import generate

_TICKS = os.sysconf("SC_CLK_TCK")
_WARM = 2_000
"""Events before anything is measured: programs compile what they run often."""


class Figures(NamedTuple):
    seconds: float
    processor_seconds: float
    memory_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    broker = KafkaCluster()
    try:
        for number in range(given.rounds):
            for name, measured in {"lpa ingest": _worker, "job on Flink": _job}.items():
                with tempfile.TemporaryDirectory() as folder:
                    place = FlinkPlace(broker.bootstrap, Path(folder), partitions=2, slots=1, checkpoint_ms=5000)
                    try:
                        _show(f"{name}, round {number + 1}", given.events, measured(place, given.events))
                    finally:
                        place.close()
    finally:
        broker.close()


def _show(name: str, events: int, figures: Figures) -> None:
    rate, micros = events / figures.seconds, figures.processor_seconds / events * 1e6
    memory = figures.memory_bytes / 2**20
    print(f"{name}: {rate:,.0f} events/s, {micros:.1f} µs of processors an event, {memory:,.0f} MiB", flush=True)


def _worker(place: FlinkPlace, events: int) -> Figures:
    place.worker.start(CLICKHOUSE_SINK_MAX_TIME_MS="5000")
    return _measured(place, events, lambda: [place.worker.pid])


def _job(place: FlinkPlace, events: int) -> Figures:
    cluster = place.cluster
    cluster.start()
    job = cluster.run(cluster.upload())
    cluster.until(lambda: cluster.running(job), "the job runs")
    assert cluster.job_manager is not None
    groups = {cluster.job_manager.pid, *(each.pid for each in cluster.task_managers)}
    return _measured(place, events, lambda: [pid for pid, group in _processes() if group in groups])


def _measured(place: FlinkPlace, events: int, processes: Callable[[], Iterable[int]]) -> Figures:
    place.send(generate(_WARM, duplicates=0.0, bad=0.0, sessions=20, seed=1))
    place.until_all_is_stored()
    values = place.by_partition(generate(events, duplicates=0.01, bad=0.002, sessions=events // 60, seed=2))
    before, began = _processor_seconds(processes()), time.monotonic()
    place.produce(values)
    place.until_all_is_stored()
    seconds = time.monotonic() - began
    return Figures(seconds, _processor_seconds(processes()) - before, sum(map(_resident, processes())))


def _processes() -> Iterator[tuple[int, int]]:
    """Each process of this machine, and its group."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (fields := _fields(int(folder.name))):
            yield int(folder.name), int(fields[2])


def _processor_seconds(processes: Iterable[int]) -> float:
    """Of all these, with their children that have ended."""
    return sum(sum(map(int, _fields(pid)[11:15])) for pid in processes) / _TICKS


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat, those behind the name; empty if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    main()
