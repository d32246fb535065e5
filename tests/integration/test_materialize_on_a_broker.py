"""`lpa ingest` and `lpa materialize` as processes: facts follow the events, whoever dies or stands still."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from services.job import Job
from services.materializer import Materializer, behind

from lpa_core.generate.generator import generate
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.row_filter import TimeSpan
from lpa_sinks.testing.http_front import Fault
from lpa_sinks.testing.stored_events import StoredEvents

KILLS = int(os.environ.get("LPA_KILLS", "6"))
EVENTS = 6_000
PARTITIONS = 4
SESSION_SECONDS = 6
"""How long a member of the group may be silent, as Job sets it."""
PATIENT = {"CLICKHOUSE_SINK_TIMEOUT_SECONDS": "60"}
ALL_TIME = TimeSpan(0, 4_000_000_000_000)


@pytest.fixture
def materializers(new_job: Callable[..., Job]) -> Iterator[tuple[Job, list[Materializer]]]:
    job = new_job(PARTITIONS)
    made = [Materializer(job, number) for number in range(2)]
    yield job, made
    for each in made:
        each.kill()


def produce(job: Job, seed: int, pause: float = 0.0) -> None:
    """Generated events, those of a stream in one partition and in order."""
    for number, record in enumerate(generate(EVENTS, duplicates=0, bad=0.01, sessions=60, jobs=0.2, seed=seed)):
        try:
            data: Any = msgspec.json.decode(record)["data"]
            stream = data.get("stream_id", "") if isinstance(data, dict) else ""
        except (ValueError, KeyError, TypeError):
            stream = ""
        job.produce([record], partition=hash(stream) % PARTITIONS) if number % 500 == 499 else job.send(
            record, hash(stream) % PARTITIONS
        )
        if pause and number % 500 == 0:
            time.sleep(pause)


def stored_events(job: Job) -> int:
    """Gateways repeat events of workers: these are in quarantine."""
    tables = ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
    return sum(sum(job.stored(table).values()) for table in tables)


def test_facts_are_those_of_a_rebuild_whatever_happens_to_the_materializers(
    materializers: tuple[Job, list[Materializer]],
) -> None:
    job, workers = materializers
    chance = Random(os.environ.get("LPA_CHAOS_SEED", "7"))
    job.start()
    for worker in workers:
        worker.start()
    for kill in range(KILLS):
        if kill % max(1, KILLS // 3) == 0 and kill // max(1, KILLS // 3) < 3:
            produce(job, seed=kill)
        victim = chance.choice(workers)
        if kill % 3 == 2:
            # Long enough to lose its partitions, and to be overtaken.
            victim.signal(signal.SIGSTOP)
            job.until(lambda: behind(job) == 0, "the other one does the work", 120)
            victim.signal(signal.SIGCONT)
        else:
            time.sleep(chance.uniform(0.2, 2.0))
            victim.kill()
            victim.start()
    job.until(lambda: stored_events(job) % EVENTS == 0 and stored_events(job) > 0, "everything is stored", 120)
    job.until(lambda: behind(job) == 0, "everything is derived", 120)
    with job.clickhouse.client() as client:
        facts = StoredEvents(client, "livepeer_analytics")
        live = facts.derived()
        rebuild = Rebuild(facts.database, FoldRules(), ALL_TIME)
        assert rebuild.prepare() >= 60
        while rebuild.step() is not None:
            pass
        assert facts.derived() == live
        signals = facts.query(
            "SELECT (SELECT count() FROM $.ai_stream_status) + (SELECT count() FROM $.stream_trace_events) "
            "+ (SELECT count() FROM $.ai_stream_events), (SELECT sum(event_count) FROM $.fact_workflow_sessions)"
        )
        assert live["fact_jobs"]
    assert signals[0][0] == signals[0][1]
    assert {worker.stop() for worker in workers} == {0}


def test_a_materializer_says_how_it_fares(materializers: tuple[Job, list[Materializer]]) -> None:
    job, (worker, _) = materializers
    job.start()
    worker.start()
    looked = Job.looking_at(worker.port)
    job.until(lambda: looked("/readyz")[0] == 200, "the materializer is ready")
    produce(job, seed=1)
    job.until(lambda: stored_events(job) == EVENTS and behind(job) == 0, "everything is derived", 120)
    status, text = looked("/metrics")
    assert status == 200
    counted = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("lpa_materialize"))
    assert float(counted["lpa_materialize_signals_total"]) > 0
    assert float(counted['lpa_materialize_sessions_total{folding="anew"}']) >= 60
    assert float(counted["lpa_materialize_jobs_total"]) > 0
    assert float(counted["lpa_materialize_unreadable_total"]) == 0
    job.clickhouse.kill()
    produce(job, seed=2)
    time.sleep(SESSION_SECONDS + 1)
    job.clickhouse.start()
    job.until(lambda: stored_events(job) == 2 * EVENTS and behind(job) == 0, "it goes on after an outage", 120)
    assert worker.stop() == 0


def hold_up(job: Job) -> None:
    """Have the next pass over touched sessions take longer than a member of the group may be silent."""
    job.clickhouse.tell(Fault("(start_time) AS started", applied=True, status=200, seconds=SESSION_SECONDS + 2))


def derived_signals(job: Job) -> int:
    sql = "SELECT sum(event_count) FROM livepeer_analytics.fact_workflow_sessions"
    with job.clickhouse.client() as client:
        return int(client.query(sql).result_rows[0][0])


def test_a_long_pass_is_no_reason_to_begin_again(materializers: tuple[Job, list[Materializer]]) -> None:
    job, (worker, _) = materializers
    job.start()
    hold_up(job)
    worker.start(**PATIENT)
    produce(job, seed=1)
    job.until(lambda: stored_events(job) == EVENTS and behind(job) == 0, "everything is derived")
    assert derived_signals(job) > 0
    assert "a pass is abandoned" not in worker.log.read_text()
    assert worker.stop() == 0


def test_a_pass_that_a_new_member_overtakes_is_begun_again(materializers: tuple[Job, list[Materializer]]) -> None:
    job, workers = materializers
    job.start()
    produce(job, seed=1)
    hold_up(job)
    workers[0].start(**PATIENT)
    job.until(lambda: "partitions assigned" in workers[0].log.read_text(), "the first has all partitions")
    time.sleep(1)
    workers[1].start(**PATIENT)
    job.until(lambda: behind(job) == 0, "everything is derived")
    assert "a pass is abandoned" in workers[0].log.read_text()
    assert derived_signals(job) > 0
    assert {worker.stop() for worker in workers} == {0}


def test_a_materializer_can_leave_while_the_group_waits_for_a_dead_member(
    materializers: tuple[Job, list[Materializer]],
) -> None:
    """The broker answers a member that leaves only once the dead one is given up."""
    job, (dead, worker) = materializers
    dead.start(LPA_KAFKA_SESSION_TIMEOUT_MS="45000")
    job.until(lambda: "partitions assigned" in dead.log.read_text(), "it has the partitions")
    dead.kill()
    worker.start(LPA_STOP_SECONDS="2")
    assert worker.stop() == 0, worker.log.read_text()[-3000:]


def test_what_is_no_touch_is_counted_and_passed_over(materializers: tuple[Job, list[Materializer]]) -> None:
    job, (worker, _) = materializers
    job.start()
    worker.start()
    job.send(b"no touch", 0, job.environment["QUALITY_TOUCHED_TOPIC"])
    job.produce([])
    looked = Job.looking_at(worker.port)
    job.until(
        lambda: looked("/readyz")[0] == 200 and "lpa_materialize_unreadable_total 1.0" in looked("/metrics")[1],
        "the record is counted",
    )
    assert worker.stop() == 0
