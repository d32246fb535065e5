"""Many minutes of load, a worker restarted every minute, a backup in the middle: nothing grows, nothing is lost.

``LPA_SOAK_SECONDS`` says how long (1,200), ``LPA_SOAK_RATE`` how many events a second (2,000), ``LPA_SOAK_SEED`` which
events. The table that it prints is for docs/performance.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from typing import final

import pytest
from services.clickhouse import ClickHouseServer
from services.health import health
from services.job import Job
from services.kafka import KafkaCluster
from services.materializer import Materializer, behind

from soak.accounts import discrepancies
from soak.load import Load
from soak.memory import TOLERANCE, Held, Memory

LPA = Path(sys.executable).with_name("lpa")
SECONDS = int(os.environ.get("LPA_SOAK_SECONDS", "1200"))
RATE = int(os.environ.get("LPA_SOAK_RATE", "2000"))
SEED = int(os.environ.get("LPA_SOAK_SEED", "1"))
PARTITIONS = 3
RESTART_EVERY = min(60, SECONDS / 5)
"""Seconds."""
PATIENT = {"HEALTH_TIMEOUT_SECONDS": "600", "HEALTH_COSTLY_TIMEOUT_SECONDS": "600"}
"""The ClickHouse front serves one statement at a time: checks wait for each other."""
MEMORY_TELLS_AFTER = 600
"""Seconds: in a shorter run caches are still filling in its last third."""


@final
class Soak:
    """A job with its materializer, which are restarted in turn."""

    def __init__(self, bootstrap: str, clickhouse: ClickHouseServer, folder: Path) -> None:
        self.job = Job(bootstrap, clickhouse, folder, PARTITIONS)
        # Ranges, patience and time to stop are those of production, not of tests in a hurry.
        for name in (
            *("CLICKHOUSE_SINK_MAX_TIME_MS", "CLICKHOUSE_SINK_TIMEOUT_SECONDS", "LPA_STOP_SECONDS"),
            *("HEALTH_INTERVAL_SECONDS",),
        ):
            del self.job.environment[name]
        self.job.environment["LPA_BACKUP_DIR"] = str(folder / "backups")
        self.materializer = Materializer(self.job, 0)
        self.restarts: list[str] = []
        self._turns = cycle(
            [
                ("ingest SIGTERM", self._stop_ingest),
                ("materialize SIGKILL", self._kill_materialize),
                ("ingest SIGKILL", self._kill_ingest),
                ("materialize SIGTERM", self._stop_materialize),
            ]
        )

    def restart(self) -> None:
        name, end = next(self._turns)
        end()
        self.restarts.append(name)
        print(f"{time.monotonic():.0f} restarted: {name}", flush=True)

    def _stop_ingest(self) -> None:
        assert self.job.stop(60) == 0
        self.job.start()

    def _kill_ingest(self) -> None:
        self.job.kill()
        self.job.start()

    def _stop_materialize(self) -> None:
        assert self.materializer.stop(60) == 0, self.materializer.log.read_text()[-3000:]
        self.materializer.start()

    def _kill_materialize(self) -> None:
        self.materializer.kill()
        self.materializer.start()

    def backup(self, verb: str, *arguments: str) -> str:
        """Run ``lpa backup``; answer what it prints."""
        sink = f"clickhouse://127.0.0.1:{self.job.clickhouse.port}"
        done = subprocess.run(
            [str(LPA), "backup", verb, *arguments, "--sink", sink, "--json"],
            cwd=self.job.folder,
            env={**os.environ, **self.job.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self) -> None:
        self.materializer.kill()
        self.job.kill()


@pytest.fixture
def soak(tmp_path: Path) -> Iterator[Soak]:
    kafka, clickhouse = KafkaCluster(), ClickHouseServer()
    made = Soak(kafka.bootstrap, clickhouse, tmp_path)
    yield made
    made.close()
    clickhouse.close()
    kafka.close()


@pytest.mark.soak
def test_nothing_grows_and_nothing_is_lost(soak: Soak) -> None:
    print(f"LPA_SOAK_SECONDS={SECONDS} LPA_SOAK_RATE={RATE} LPA_SOAK_SEED={SEED}")
    job, materializer = soak.job, soak.materializer
    job.start()
    materializer.start()
    job.until(lambda: Job.looking_at(materializer.port)("/readyz")[0] == 200, "the materializer is ready")
    memory = Memory(
        {
            "lpa ingest": lambda: job.pid,
            "lpa materialize": lambda: materializer.pid,
            "ClickHouse front": lambda: job.clickhouse.pid,
        }
    )
    load = Load(job.bootstrap, job.topic, PARTITIONS, SECONDS, RATE, SEED)
    started = time.monotonic()
    load.start()
    memory.start()
    backup, backup_seconds = "", 0.0
    try:
        for turn in count(1):
            load.join(max(0, started + turn * RESTART_EVERY - time.monotonic()))
            if not load.is_alive():
                break
            soak.restart()
            if not backup and time.monotonic() - started > SECONDS / 2:
                began = time.monotonic()
                backup = json.loads(soak.backup("create"))["location"]
                backup_seconds = time.monotonic() - began
    finally:
        load.join()
        held = memory.end()
    ended = time.monotonic()
    for partition, end in load.ends.items():
        job.until(lambda p=partition, e=end: job.committed(p) >= e, "everything is delivered", 600)  # type: ignore[misc]
    job.until(lambda: behind(job) == 0, "everything is derived", 600)
    drained = time.monotonic() - ended

    checks = health(job, **PATIENT)
    found = list(discrepancies(job, load))
    print(_summary(load, soak.restarts, backup_seconds, drained, held))
    for name, check in checks.items():
        print(f"health: {name}: {check['state']}: {check['detail']}")
    assert not found, "\n".join(found)
    assert backup
    assert soak.backup("verify", backup)
    assert {name: check["detail"] for name, check in checks.items() if check["state"] != "ok"} == {}
    if SECONDS >= MEMORY_TELLS_AFTER:
        grown = {name: f"{each.growth:+.1%}" for name, each in held.items() if each.growth > TOLERANCE}
        grown.pop("ClickHouse front", None)  # the database grows as it is filled
        assert not grown
    assert materializer.stop(60) == 0
    assert job.stop(60) == 0


def _summary(load: Load, restarts: list[str], backup_seconds: float, drained: float, held: dict[str, Held]) -> str:
    """Markdown."""
    rows: list[tuple[str, str]] = [
        ("events", f"{load.delivered:,} in {load.seconds:,.0f} s: {load.delivered / load.seconds:,.0f} a second"),
        ("accepted, dead letters, duplicates", f"{load.accepted:,}, {load.bad:,}, {load.duplicates:,}"),
        ("restarts", ", ".join(f"{restarts.count(name)} {name}" for name in sorted(set(restarts)))),
        ("backup under load", f"{backup_seconds:,.1f} s"),
        ("delivered and derived after the last event", f"{drained:,.1f} s"),
    ]
    parts = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    parts += [
        "| resident memory, MiB | first third | second | last | last to second | peak |",
        "|---|---|---|---|---|---|",
    ]
    parts += [
        f"| {name} | {it.first:,.0f} | {it.second:,.0f} | {it.last:,.0f} | {it.growth:+.1%} | {it.peak:,.0f} |"
        for name, it in held.items()
    ]
    return "\n".join(["", *parts, ""])
