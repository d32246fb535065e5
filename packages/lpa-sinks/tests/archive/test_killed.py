"""A process killed at any moment: every record is in the archive once when the work is done."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lpa_core.records import RecordBatch
from lpa_sinks.archive import ArchivedRecord, read_archive

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("killed_worker.py")
Position = tuple[int, int]


class Worker:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, folder: Path, location: str, **command: Any) -> int:
        """Work on until the end or the kill; the signal, or 0."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        command = {"records": 6} | command | {"folder": str(folder), "location": location}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def started() -> Iterator[Worker]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Worker(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with started() as worker:
        yield worker


@pytest.fixture(scope="module")
def sent() -> dict[int, dict[Position, bytes | None]]:
    """By the number of records in a range: what the worker sends, by partition and offset."""
    namespace: dict[str, Any] = {"__name__": "killed_worker"}
    exec(compile(WORKER.read_text(), str(WORKER), "exec"), namespace)
    found: dict[int, dict[Position, bytes | None]] = {}
    for records in (6, 3000):
        batches: Sequence[RecordBatch] = [namespace["batch"](index, records) for index in range(namespace["RANGES"])]
        found[records] = {
            (batch.partition, offset): value
            for batch in batches
            for offset, value in zip(batch.offsets, batch.values, strict=True)
        }
    return found


def archived(location: str) -> dict[Position, bytes | None]:
    """What is visible now: every file whole, no record twice."""
    if "://" not in location and not Path(location).exists():
        return {}
    records: list[ArchivedRecord] = list(read_archive(location))
    found = {(record.partition, record.offset): record.value for record in records}
    assert len(found) == len(records)
    return found


def test_killed_before_every_change_of_a_file(
    worker: Worker, sent: dict[int, dict[Position, bytes | None]], tmp_path: Path
) -> None:
    rng = random.Random(1)
    step = 0
    while True:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        location = str(folder / "archive")
        killed = worker.run(folder, location, step=step)
        assert archived(location).items() <= sent[6].items()
        if not killed:
            break
        assert killed == signal.SIGKILL
        again = worker.run(folder, location, step=rng.randrange(1, 40))
        assert again in (0, signal.SIGKILL)
        assert archived(location).items() <= sent[6].items()
        assert worker.run(folder, location) == 0
        assert archived(location) == sent[6]
        assert not list((folder / "spool").glob("*.segment"))
    assert step > 60


def test_killed_at_any_time_while_large_files_are_written(
    worker: Worker, sent: dict[int, dict[Position, bytes | None]], tmp_path: Path
) -> None:
    kills = 0
    for seconds in (0.02, 0.04, 0.06, 0.08, 0.1):
        folder = tmp_path / str(seconds)
        folder.mkdir()
        location = str(folder / "archive")
        for _ in range(3):
            kills += worker.run(folder, location, seconds=seconds, records=3000) == signal.SIGALRM
            assert archived(location).items() <= sent[3000].items()
        assert worker.run(folder, location, records=3000) == 0
        assert archived(location) == sent[3000]
    assert kills > 3


def test_killed_while_an_object_store_is_written(
    bucket: str, sent: dict[int, dict[Position, bytes | None]], tmp_path: Path
) -> None:
    with started() as worker:
        for step in range(5, 90, 7):
            folder = tmp_path / str(step)
            folder.mkdir()
            location = f"{bucket}/{step}"
            assert worker.run(folder, location, step=step) in (0, signal.SIGKILL)
            assert archived(location).items() <= sent[6].items()
            assert worker.run(folder, location) == 0
            assert archived(location) == sent[6]


def test_failure_20_a_mirror_killed_before_every_change_of_a_file_goes_on(
    worker: Worker, sent: dict[int, dict[Position, bytes | None]], tmp_path: Path
) -> None:
    location = str(tmp_path / "archive")
    assert worker.run(tmp_path, location) == 0
    step = 0
    while True:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        mirror = str(folder / "mirror")
        killed = worker.run(folder, location, mirror=mirror, step=step)
        assert archived(mirror).items() <= sent[6].items()
        if not killed:
            break
        assert killed == signal.SIGKILL
        assert worker.run(folder, location, mirror=mirror) == 0
        assert archived(mirror) == sent[6]
    assert step > 20
    assert archived(location) == sent[6]


def test_failure_20_a_mirror_killed_while_an_object_store_is_written_goes_on(
    bucket: str, sent: dict[int, dict[Position, bytes | None]], tmp_path: Path
) -> None:
    with started() as worker:
        location = str(tmp_path / "archive")
        assert worker.run(tmp_path, location) == 0
        for step in range(3, 12, 2):
            folder = tmp_path / str(step)
            folder.mkdir()
            mirror = f"{bucket}/{step}"
            assert worker.run(folder, location, mirror=mirror, step=step) in (0, signal.SIGKILL)
            assert archived(mirror).items() <= sent[6].items()
            assert worker.run(folder, location, mirror=mirror) == 0
            assert archived(mirror) == sent[6]
