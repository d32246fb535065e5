"""Health checks that ask Kafka: each goes red on a fault made for it, and green again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Producer
from services.clickhouse import ClickHouseServer
from services.health import health
from services.job import Job, event
from services.materializer import Materializer

from lpa_core.testing.redis_server import RedisServer

NewJob = Callable[..., Job]
_DATABASE = "livepeer_analytics"


def test_lag(new_job: NewJob) -> None:
    job = new_job(partitions=2)
    job.produce([event(f"e{number}") for number in range(200)])
    few = {"HEALTH_CONSUMER_LAG_RECORDS": "50,100"}
    lag = health(job, **few)["consumer_lag"]
    assert (lag["state"], lag["value"]) == ("critical", 200), "nobody has read anything"
    assert f"{job.topic}[0] is 200 records behind" in lag["detail"]
    job.start()
    job.until_committed(200)
    lag = health(job, **few)["consumer_lag"]
    assert (lag["state"], lag["value"]) == ("ok", 0)
    assert job.stop() == 0
    job.produce([event(f"later{number}") for number in range(60)])
    assert health(job, **few)["consumer_lag"]["state"] == "warning"


def test_the_trend_of_a_lag(new_job: NewJob, clickhouse: ClickHouseServer) -> None:
    now = time.time_ns() // 1_000_000
    thresholds = {"HEALTH_CONSUMER_LAG_RECORDS": "200,300"}

    def stored_a_while_ago() -> Job:
        """A job of which 50 records came and were stored 15 minutes ago."""
        job = new_job()
        job.start()
        job.produce([event(f"stored{number}") for number in range(50)], timestamp=now - 900_000)
        job.until_committed(50)
        assert job.stop() == 0
        with clickhouse.client() as client:
            client.command(
                f"ALTER TABLE {_DATABASE}.streaming_events UPDATE ingestion_timestamp = now() - INTERVAL 15 MINUTE "
                "WHERE 1 SETTINGS mutations_sync = 1"
            )
        return job

    job = stored_a_while_ago()
    lag = health(job, **thresholds)["consumer_lag"]
    assert (lag["state"], "0 records behind, steady" in lag["detail"]) == ("ok", True)
    job.produce([event(f"new{number}") for number in range(100)], timestamp=now)
    lag = health(job, **thresholds)["consumer_lag"]
    assert (lag["state"], lag["value"]) == ("warning", 100), "in an hour it is critical"
    assert "100 records behind, growing by 10 a minute" in lag["detail"]

    job = stored_a_while_ago()
    job.produce([event(f"waiting{number}") for number in range(200)], timestamp=now - 900_000)
    job.commit(150)
    lag = health(job, **thresholds)["consumer_lag"]
    assert (lag["state"], lag["value"]) == ("ok", 100)
    assert "100 records behind, shrinking, gone in 10 minutes" in lag["detail"]


def test_every_committed_position_is_in_one_table_and_gaps_that_kafka_makes_are_none(
    new_job: NewJob, clickhouse: ClickHouseServer
) -> None:
    job = new_job()
    job.start()
    producer = Producer({"bootstrap.servers": job.bootstrap, "transactional.id": job.topic, "log_level": 0})
    producer.init_transactions()
    for transaction in range(3):
        producer.begin_transaction()
        for number in range(20):
            producer.produce(job.topic, event(f"{transaction}-{number}"), partition=0)
        producer.commit_transaction()
    # The end of the last transaction may come before these or behind.
    places = job.produce([event("last"), b"not json", event("last")])
    job.until_committed(places[-1][1] + 1)
    assert sum(job.stored().values()) == 61
    assert health(job)["conservation"]["state"] == "ok", "the ends of transactions are no losses"

    with clickhouse.client() as client:
        client.command(f"DELETE FROM {_DATABASE}.streaming_events WHERE source_offset BETWEEN 21 AND 24")
    lost = health(job)["conservation"]
    assert (lost["state"], lost["value"]) == ("critical", 4)
    assert lost["detail"] == f"{job.topic}[0]: 4 of the offsets 21 to 24 are in no table"
    with clickhouse.client() as client:
        client.command(
            f"INSERT INTO {_DATABASE}.streaming_events (source_topic, source_partition, source_offset, dedup_key) "
            f"SELECT '{job.topic}', 0, 21 + number, toString(number) FROM numbers(4)"
        )
    assert health(job)["conservation"]["state"] == "ok"

    with clickhouse.client() as client:
        client.command(f"DELETE FROM {_DATABASE}.streaming_events WHERE source_offset >= 60")
        client.command(f"DELETE FROM {_DATABASE}.streaming_events_quarantine WHERE source_offset >= 60")
        client.command(f"DELETE FROM {_DATABASE}.streaming_events_dlq WHERE source_offset >= 60")
    assert health(job)["conservation"]["state"] == "critical", "what is committed and was stored last is missed, too"

    with clickhouse.client() as client:
        for table in ("streaming_events", "streaming_events_quarantine", "streaming_events_dlq"):
            client.command(f"TRUNCATE TABLE {_DATABASE}.{table}")
    lost = health(job)["conservation"]
    assert (lost["state"], lost["value"]) == ("critical", job.committed())
    assert lost["detail"].startswith(f"{_DATABASE} has no rows, though ")
    places = job.produce([event("after the loss")])
    job.until_committed(places[-1][1] + 1)
    lost = health(job)["conservation"]
    assert (lost["state"], lost["value"]) == ("critical", 63), "what came since does not hide it"


def test_claims_that_are_behind_what_is_committed(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    job.produce([event(f"e{number}") for number in range(100)])
    job.until_committed(100)
    assert job.stop() == 0
    store = health(job)["dedup_store"]
    assert (store["state"], "1 of 1 partitions are here, and complete" in store["detail"]) == ("ok", True)
    (mark,) = job.data.glob("dedup/*/through.json")
    whole = mark.read_text()
    mark.write_text('{"through": 10}')
    one_record = {"CLICKHOUSE_SINK_MAX_BATCH_SIZE": "1"}
    store = health(job, **one_record)["dedup_store"]
    assert store["state"] == "warning"
    assert f"claims of {job.topic}[0] are behind what is committed" in store["detail"]
    mark.write_text(whole)
    assert health(job, **one_record)["dedup_store"]["state"] == "ok"


def test_claims_in_redis(new_job: NewJob, redis_url: str, tmp_path: Path) -> None:
    job = new_job()
    store = health(job, "--dedup", redis_url)["dedup_store"]
    assert (store["state"], "keys in Redis" in store["detail"]) == ("ok", True)
    with RedisServer(tmp_path, "--appendonly", "no") as forgetful:
        store = health(job, "--dedup", forgetful.url)["dedup_store"]
    assert (store["state"], "loses claims" in store["detail"]) == ("warning", True)
    down = health(job, "--dedup", forgetful.url)["dedup_store"]
    assert (down["state"], down["detail"].startswith("could not be judged: ConnectionError")) == ("critical", True)


def test_a_running_job_tells_its_health(new_job: NewJob) -> None:
    job = new_job()
    job.start(HEALTH_INTERVAL_SECONDS="1", HEALTH_TIMEOUT_SECONDS="30")
    job.produce([event("one"), b"not json"])
    job.until_committed(2)

    def state(check: str) -> str:
        _, found = job.get("/health")
        return next((each["state"] for each in found["checks"] if each["name"] == check), "")

    job.until(lambda: state("dlq_rate") == "critical", "half of the records are dead letters")
    assert job.get("/health")[0] == 503
    job.produce([event(f"e{number}") for number in range(400)])
    job.until(lambda: state("dlq_rate") == "ok", "few of the records are dead letters")
    assert job.metric("lpa_health_check_state", check="dlq_rate", state="ok") == 1
    assert job.metric("lpa_health_check_value", check="consumer_lag") == 0
    assert job.stop() == 0


def test_a_running_materializer_tells_its_health(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    job.produce([event("one"), b"not json"])
    job.until_committed(2)
    materializer = Materializer(job, 0)
    materializer.start(HEALTH_INTERVAL_SECONDS="1", HEALTH_TIMEOUT_SECONDS="30")
    get = Job.looking_at(materializer.port)
    try:
        job.until(lambda: get("/readyz")[0] == 200, "the materializer is ready")
        job.until(lambda: get("/health")[1]["state"] == "critical", "half of the records are dead letters")
        names = {"dlq_rate", "schema_drift", "consumer_lag"}
        job.until(
            lambda: names <= {check["name"] for check in get("/health")[1]["checks"]},
            "costly checks have been asked too",
        )
        status, found = get("/health")
        states = {check["name"]: check["state"] for check in found["checks"]}
        assert (status, states["dlq_rate"]) == (503, "critical")
        assert states["schema_drift"] == states["consumer_lag"] == "ok"
        job.produce([event(f"e{number}") for number in range(400)])
        job.until(lambda: get("/health")[0] == 200, "few of the records are dead letters")
        assert materializer.stop() == 0
    finally:
        materializer.kill()
    assert job.stop() == 0


def test_where_kafka_is_away_the_checks_that_ask_it_fail_and_no_other(new_job: NewJob) -> None:
    job = new_job()
    found = health(job, QUALITY_KAFKA_BOOTSTRAP="127.0.0.1:1", HEALTH_TIMEOUT_SECONDS="3")
    assert found["consumer_lag"]["state"] == "critical"
    assert found["schema_drift"]["state"] == "ok"
