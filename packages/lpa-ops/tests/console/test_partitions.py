"""How far partitions are, and what holds them up: as the first page shows it, whoever is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from lpa_core.admin.client import job_details
from lpa_core.admin.errors import AdminError
from lpa_core.admin.job import PartitionStatus
from lpa_core.admin.server import AdminServer
from lpa_core.delivery.consumer_group import BrokerUnavailable, Partition
from lpa_core.testing.administered_job import JobDouble
from lpa_ops.console.page import ConsoleSources
from lpa_ops.console.partitions import PartitionReport, PartitionWatch
from lpa_ops.console.text import at
from lpa_ops.console.while_asked import WhileAsked
from lpa_ops.health.kafka_offsets import Standing
from lpa_ops.testing.page_text import page

FIRST, SECOND = Partition("events", 0), Partition("events", 1)
STANDINGS = {FIRST: Standing(0, 110, 100, 110), SECOND: Standing(0, 2_000, 500, 2_010)}
HELD = {
    "topic": "events",
    "partition": 1,
    "state": "running",
    "committed-offset": 480,
    "end-offset": 1_900,
    "lag": 1_420,
    "in-work": 77,
    "backpressured": True,
}
JOB: Mapping[str, Any] = {"partitions": [HELD], "not-ready": ["backpressure: <b>"]}
Open = Callable[..., TestClient]


def away() -> Any:
    raise BrokerUnavailable("no broker replies at kafka:9092: start it")


def looked(standings: Callable[[], Any], job: Callable[[], Any]) -> PartitionReport:
    watch = PartitionWatch(standings, job)
    watch.look()
    watch.close()
    return watch.latest()


def test_offsets_are_kafkas_and_what_holds_up_is_the_workers(opened: Open, sources: ConsoleSources) -> None:
    report = looked(lambda: STANDINGS, lambda: JOB)
    assert [(each.partition, each.committed, each.end, each.lag) for each in report.partitions] == [
        (1, 500, 2_000, 1_500),
        (0, 100, 110, 10),
    ]
    assert [(each.state, each.in_work, each.backpressured) for each in report.partitions] == [
        ("running", 77, True),
        ("", None, None),
    ]
    browser = opened(attrs.evolve(sources, partitions=lambda: report))
    content = browser.get("/flow.json").json()["partitions"]
    assert (content["lag"], content["in_work"], content["backpressured"]) == (1_510, 77, True)
    shown = page(browser.get("/flow")).text
    assert "events 1 500 2,000 1,500 77 running, reading is paused" in shown
    assert "events 0 100 110 10 - not known" in shown
    assert "Backpressure reading is paused 77 records in work" in shown
    assert "The worker does not keep up: backpressure: <b>" in shown
    assert "is not known:" not in shown
    assert f"Asked at {at(report.asked_ms or 0)}" in shown


def test_what_is_away_is_told_quietly(opened: Open, sources: ConsoleSources) -> None:
    report = looked(away, lambda: JOB)
    assert [(each.partition, each.lag) for each in report.partitions] == [(1, 1_420)], "the worker's own figures"
    shown = page(opened(attrs.evolve(sources, partitions=lambda: report)).get("/flow")).text
    assert "Lag is not known from Kafka: no broker replies at kafka:9092: start it." in shown
    nothing = looked(away, away)
    browser = opened(attrs.evolve(sources, partitions=lambda: nothing))
    shown = page(browser.get("/flow")).text
    assert "Backpressure is not known: no broker replies at kafka:9092: start it." in shown
    assert "records in work" not in shown
    content = browser.get("/flow.json").json()["partitions"]
    assert (content["lag"], content["in_work"], content["backpressured"]) == (None, None, None)


def test_who_waits_is_told_what_is_so_now() -> None:
    watch = PartitionWatch(lambda: STANDINGS, away)
    assert [each.lag for each in watch.look().partitions] == [1_500, 10]
    watch.close()


def test_before_the_first_answer_nothing_is_claimed(browser: TestClient) -> None:
    assert browser.get("/flow.json").json()["partitions"]["asked_ms"] is None
    assert "Lag is not known from Kafka: it is being asked." in page(browser.get("/flow")).text


def test_a_worker_tells_without_a_token() -> None:
    job = JobDouble()
    job.held = [PartitionStatus("events", 1, "running", 480, 1_900, 77, backpressured=True)]
    server = AdminServer("127.0.0.1:0", "", job, CollectorRegistry())
    server.start()
    address = f"127.0.0.1:{server.port}"
    try:
        assert job_details(address)["partitions"] == [HELD]
    finally:
        server.close()
    with pytest.raises(AdminError, match="no worker answers at"):
        job_details(address)


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_work_rests_when_nobody_asks_and_begins_again_when_somebody_does() -> None:
    done: list[float] = []
    work = WhileAsked("test", lambda: done.append(time.monotonic()), 0.01, idle_seconds=0.05)
    time.sleep(0.03)
    assert not done, "nobody has asked yet"
    assert work.ask(), "what was never done is not old"
    wait_for(lambda: len(done) >= 2)
    wait_for(lambda: time.monotonic() - done[-1] > 0.2)
    before = len(done)
    assert not work.ask(), "what is left from before is old"
    wait_for(lambda: len(done) > before)
    work.close()


def test_work_that_fails_is_done_again() -> None:
    tried = threading.Semaphore(0)

    def fails() -> None:
        tried.release()
        raise ValueError("no")

    work = WhileAsked("test", fails, 0.001)
    work.ask()
    assert all(tried.acquire(timeout=10) for _ in range(3))
    work.close()
