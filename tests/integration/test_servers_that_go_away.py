"""Redis or the database do not answer: the job waits and says so, loses and repeats nothing, and can be stopped."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from services.job import Job, event

from lpa_core.tables.row_layout import QUARANTINE_TABLE
from lpa_core.testing.redis_server import RedisServer
from lpa_sinks.testing.http_front import Fault

pytestmark = pytest.mark.each_share

NewJob = Callable[..., Job]

PAGE = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 28\r\n\r\n<html>Please sign in.</html>"


def test_without_redis_the_worker_waits_and_never_goes_on(new_job: NewJob, tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with RedisServer(tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "always") as redis:
        job = new_job(dedup=redis.url, partitions=2)
        job.start()
        job.produce([event(f"id-{number}") for number in range(50)])
        job.until_committed(50)
        redis.stop()
        # The same again in the other partition: only Redis knows that.
        job.produce([event(f"id-{number}") for number in range(50)], partition=1)
        job.until(lambda: "dedup store" in str(job.get("/readyz")[1]), "readiness names the dedup store")
        time.sleep(2)
        assert job.committed(1) <= 0
        assert job.get("/healthz")[0] == 200
        redis.start()
        job.until_committed(50, partition=1)
        job.until(lambda: job.get("/readyz")[0] == 200, "it is ready again")
        assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in range(50))
    assert job.stored(QUARANTINE_TABLE.name) == Counter((1, offset) for offset in range(50))


def test_a_database_that_is_away_makes_backpressure_not_dead_letters(new_job: NewJob) -> None:
    job = new_job()
    job.start(CLICKHOUSE_SINK_MAX_BATCH_BYTES="100000", CLICKHOUSE_SINK_MAX_BATCH_SIZE="50")
    job.clickhouse.kill()
    padding = "x" * 1000
    count = 3000
    job.produce([event(f"id-{number}", gateway=padding) for number in range(count)])
    job.until(lambda: "backpressure" in str(job.get("/readyz")[1]), "readiness names backpressure")
    assert job.metric("lpa_backpressure_active") == 1
    time.sleep(7)  # longer than the session timeout: the partition must still be the worker's
    assert job.metric("lpa_partitions_assigned") == 1
    read = job.metric("lpa_records_consumed_total", topic=job.topic, partition="0")
    assert read < count / 2, "reading stands still while writing does"
    job.clickhouse.start()
    job.until_committed(count)
    job.until(lambda: job.get("/readyz")[0] == 200, "it is ready again")
    assert job.metric("lpa_backpressure_active") == 0
    assert job.metric("lpa_backpressure_episodes_total") >= 1
    assert job.metric("lpa_rebalances_total") == 1
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in range(count))


def test_a_stop_does_not_wait_for_a_database_that_hangs(new_job: NewJob) -> None:
    job = new_job()
    job.start(CLICKHOUSE_SINK_TIMEOUT_SECONDS="60", LPA_STOP_SECONDS="2")
    job.clickhouse.tell(Fault("INSERT INTO", silent=True, seconds=30))
    job.produce([event(f"id-{number}") for number in range(20)])
    job.until(lambda: job.committed() == 0, "a range is prepared")
    time.sleep(0.5)
    started = time.monotonic()
    assert job.stop(20) == 0
    assert time.monotonic() - started < 15, "a third of the time that the insert hangs is plenty"
    assert "abandoned" in job.log.read_text()
    job.clickhouse.restart()
    job.start()
    job.until_committed(20)
    assert job.metric("lpa_prepared_ranges_repeated_total") == 1
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in range(20))


def test_a_stop_finishes_what_is_in_work(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    job.clickhouse.tell(Fault("INSERT INTO", applied=True, seconds=1))
    job.produce([event(f"id-{number}") for number in range(20)])
    job.until(lambda: job.committed() == 0, "a range is prepared")
    assert job.stop() == 0
    assert job.committed() == 20
    assert job.stored() == Counter((0, offset) for offset in range(20))


def test_failure_02_a_login_page_in_place_of_the_database_is_waited_for(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    job.clickhouse.tell(Fault("INSERT INTO", answer=PAGE), times=3)
    job.clickhouse.tell(Fault("INSERT INTO", answer=PAGE, applied=True))
    job.clickhouse.tell(Fault("INSERT INTO", cut=100, applied=True, status=200))
    job.produce([event(f"id-{number}") for number in range(200)])
    job.until_committed(200)
    assert "status 200, server nginx, no X-ClickHouse-Summary" in job.log.read_text()
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in range(200))
