"""Kills and freezes of the cluster's processes at random: each record is stored once, whatever happens."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import pytest

from flink.control import jar_without_gate, python_without_comparison
from flink.place import FlinkPlace
from lpa_core.testing.mutations import mutated_records

FAULTS: Final = int(os.environ.get("LPA_FLINK_FAULTS", "4"))
SEED: Final = int(os.environ.get("LPA_FLINK_SEED", "0")) or time.time_ns() % 100_000
FROZEN_SECONDS: Final = 12.0
"""Longer than the job manager waits for a task manager: it is given up, and lives on."""
_CONTROL_KILLS: Final = 3


class Run:
    """A job that is hurt while records come in."""

    def __init__(self, place: FlinkPlace, seed: int, jar: str) -> None:
        self.place, self.cluster, self.random, self.jar = place, place.cluster, Random(seed), jar
        self.seed, self.parallelism = seed, 1
        self.told: list[str] = []
        self._done = threading.Event()
        self._producer = threading.Thread(target=self._produce, daemon=True)
        self.job = self.cluster.run(jar)
        self._producer.start()

    def _produce(self) -> None:
        number = 0
        while not self._done.wait(0.5):
            self.place.send(mutated_records(100, self.seed * 10_000 + number, whole=0.9))
            number += 1

    def finish(self) -> list[str]:
        """What is wrong once everything that was sent is stored, and the job has stopped."""
        self._done.set()
        self._producer.join()
        self.until_running()
        self.place.until_all_is_stored()
        self.cluster.stop(self.job)
        return self.place.faults()

    def until_running(self) -> None:
        self.cluster.until(lambda: self.cluster.running(self.job), f"it runs again after {self.told}")

    def until_more_is_stored(self) -> None:
        self.place.until_stored(self.place.stored_count() + 1)

    def hurt(self) -> None:
        """Do one of the faults, at a moment that falls anywhere between two checkpoints."""
        self.until_running()
        time.sleep(self.random.uniform(0.2, 3.5))
        fault = self.random.choice(
            [self.kill_task_manager, self.kill_task_manager, self.freeze, self.lose_cluster, self.rescale]
        )
        self.told.append(fault.__name__)
        print(f"seed {self.seed}: {fault.__name__}, parallelism {self.parallelism}", flush=True)
        fault()

    def kill_task_manager(self) -> None:
        self.cluster.kill_task_manager()
        self.cluster.start()

    def freeze(self) -> None:
        self.cluster.freeze_task_manager(FROZEN_SECONDS)
        self.cluster.start()

    def lose_cluster(self) -> None:
        """The job manager is killed, and sometimes the task manager with it: without it, nothing restarts the job."""
        self.cluster.kill_job_manager()
        if self.random.random() < 0.5:
            self.cluster.kill_task_manager()
        newest = self.cluster.newest_state(self.job)
        self.cluster.start()
        self.jar = self.cluster.upload()
        self.job = self.cluster.run(self.jar, parallelism=self.parallelism, savepoint=newest)

    def rescale(self) -> None:
        location = self.cluster.stop(self.job)
        self.parallelism = 3 - self.parallelism
        self.job = self.cluster.run(self.jar, parallelism=self.parallelism, savepoint=location)


@pytest.mark.each_share
def test_each_record_is_stored_once_whatever_is_killed_or_frozen(new_place: Callable[..., FlinkPlace]) -> None:
    place = new_place()
    place.cluster.start()
    run = Run(place, SEED, place.cluster.upload())
    for _ in range(FAULTS):
        run.hurt()
    assert run.finish() == [], f"LPA_FLINK_SEED={SEED}: {run.told}"


def test_without_the_gate_kills_store_records_twice(new_place: Callable[..., FlinkPlace], tmp_path: Path) -> None:
    """The control: the faults above would show what the gate prevents. What is compared after it would hide that."""
    place = new_place(PYTHONPATH=python_without_comparison(tmp_path / "python"))
    place.cluster.start()
    run = Run(place, SEED, place.cluster.upload(jar_without_gate(place.cluster)))
    for _ in range(_CONTROL_KILLS):
        run.until_running()
        run.until_more_is_stored()  # and no checkpoint is complete yet that holds it
        run.kill_task_manager()
    faults = run.finish()
    assert any(" is stored 2 times" in fault or " is stored 3 times" in fault for fault in faults), faults[:5]
