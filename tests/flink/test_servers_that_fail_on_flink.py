"""What the job depends on fails while it runs: it goes on afterwards, with each record stored once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from services.kafka import KafkaCluster

from flink.command import lpa, lpa_flink
from flink.place import FlinkPlace
from lpa_core.testing.mutations import mutated_records
from lpa_sinks.testing.http_front import Fault

_PAGE: Final = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 28\r\n\r\n<html>Please sign in.</html>"
_SEEDS: Final = count()


@pytest.fixture(scope="module")
def place(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkPlace]:
    """A place with a job that runs; each test leaves it so."""
    made = FlinkPlace(kafka.bootstrap, tmp_path_factory.mktemp("place"), partitions=2, slots=2, checkpoint_ms=1000)
    try:
        made.cluster.start()
        lpa_flink(made, "submit")
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def exact_in_the_end(place: FlinkPlace) -> Iterator[None]:
    """Each test finds all stored that was sent before; after it everything is, once, and the job runs."""
    place.send(mutated_records(200, next(_SEEDS), whole=0.9))
    place.until_all_is_stored()
    yield
    place.send(mutated_records(200, next(_SEEDS), whole=0.9))
    place.until_all_is_stored()
    place.cluster.until(lambda: not place.faults(), "what was published is committed")
    assert job(place)["state"] == "RUNNING"


def job(place: FlinkPlace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lpa_flink(place, "status", "--json"))["job"]
    return found


def health(place: FlinkPlace, status: int, **settings: str) -> dict[str, Any]:
    """What the check of the job says."""
    said = json.loads(lpa(place, "health", "--sink", "clickhouse://", "--json", status=status, **settings))
    (found,) = [check for check in said["checks"] if check["name"] == "flink_job"]
    return dict(found)


def send_while(place: FlinkPlace, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        place.send(mutated_records(50, next(_SEEDS), whole=0.9))
        time.sleep(0.5)


def test_clickhouse_is_away(place: FlinkPlace) -> None:
    before = job(place)["restarts"]
    place.clickhouse.kill()
    send_while(place, 8)
    place.clickhouse.start()
    place.until_all_is_stored()
    assert job(place)["restarts"] == before, "it is waited for"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("INSERT INTO", applied=True, status=200, seconds=5),
        Fault("INSERT INTO", applied=True, silent=True),
        Fault("INSERT INTO", answer=_PAGE),
        Fault("INSERT INTO", applied=True, answer=_PAGE),
        Fault("INSERT INTO", status=502),
    ],
    ids=["late", "lost", "nonsense", "nonsense-after-it", "proxy"],
)  # fmt: skip
def test_clickhouse_answers_late_or_nonsense(place: FlinkPlace, fault: Fault) -> None:
    before = job(place)["restarts"]
    place.clickhouse.tell(fault, times=3)
    send_while(place, 3)
    place.until_all_is_stored()
    place.clickhouse.forget_faults()
    assert job(place)["restarts"] == before, "it is asked again"


def test_the_broker_is_restarted(place: FlinkPlace, kafka: KafkaCluster) -> None:
    kafka.stop_broker(0)
    time.sleep(5)
    kafka.start_broker(0)


def test_the_broker_is_killed(place: FlinkPlace, kafka: KafkaCluster) -> None:
    kafka.kill_broker(0)
    kafka.start_broker(0)


def test_a_checkpoint_that_cannot_be_written_is_said_and_waited_for(place: FlinkPlace) -> None:
    """A file lies where the folder was: whoever runs the tests may write into read-only folders."""
    quick = {"HEALTH_FLINK_CHECKPOINT_AGE_SECONDS": "3,6"}
    running = job(place)
    failed = running["checkpoints"]["failed"]
    folder = place.cluster.folder / "checkpoints" / running["job_id"]
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.touch()
    place.send(mutated_records(200, next(_SEEDS), whole=0.9))
    place.cluster.until(lambda: job(place)["checkpoints"]["failed"] > failed + 3, "checkpoints fail")
    place.cluster.until(lambda: job(place)["checkpoints"]["age_seconds"] > 7, "the newest one is old")
    assert place.stored_count() < len(place.sent), "nothing is written that no checkpoint holds"
    found = health(place, 1, **quick)
    assert found["state"] == "critical"
    assert "why checkpoints fail" in found["action"]
    assert "; the last failed by: " in found["detail"]
    assert job(place)["state"] == "RUNNING"
    assert job(place)["checkpoints"]["failure"]
    folder.unlink()
    aside.rename(folder)
    place.until_all_is_stored()
    place.cluster.until(lambda: job(place)["checkpoints"]["age_seconds"] < 3, "checkpoints are made")


def test_a_savepoint_that_cannot_be_written_is_refused_and_the_job_goes_on(place: FlinkPlace) -> None:
    folder: Path = place.cluster.folder / "savepoints"
    folder.rmdir()
    folder.touch()
    said = lpa_flink(place, "stop", "--yes", status=1)
    assert "made no savepoint" in said
    folder.unlink()
    folder.mkdir()
