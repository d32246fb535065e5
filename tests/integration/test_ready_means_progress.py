"""Ready means that records are delivered: what keeps them from it is told, and what cannot pass ends the process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from services.job import Job, event
from services.processes import PATIENCE
from services.security import METADATA_BYTES, SecuredKafka

from lpa_core.delivery.commit_metadata import widest
from lpa_core.kafka.topics import apply, wanted_topics
from lpa_core.settings.loading import load
from lpa_core.tables.row_layout import QUARANTINE_TABLE
from lpa_sinks.testing.http_front import Fault

NewJob = Callable[..., Job]


def said(job: Job) -> str:
    """What an ended job printed last."""
    return job.log.read_text().splitlines()[-1]


def alter(job: Job, topic: str, **settings: str) -> None:
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    for altered in job.admin.incremental_alter_configs([resource]).values():
        altered.result(PATIENCE)


def reasons(job: Job) -> str:
    return str(job.get("/readyz")[1])


def test_failure_12_brokers_with_little_room_for_metadata_are_refused_at_start_with_the_way_out(
    new_job: NewJob, secured_kafka: SecuredKafka
) -> None:
    job = new_job(bootstrap=secured_kafka.cluster.bootstrap)
    job.start(ready=False)
    assert job.wait() == 2
    most = widest(METADATA_BYTES)
    assert f"offset.metadata.max.bytes of the brokers is {METADATA_BYTES}" in said(job)
    assert f"set it to 4096 on the brokers, or CLICKHOUSE_SINK_MAX_BATCH_SIZE to {most} or less" in said(job)

    # The way out, with duplicates in every other place: the metadata that need the most room.
    values = [event(f"id-{number if number % 2 else number % 10}") for number in range(2 * most)]
    job.produce(values)
    job.start(CLICKHOUSE_SINK_MAX_BATCH_SIZE=str(most))
    job.until_committed(len(values))
    assert job.stop() == 0
    assert sum(job.stored().values()) + sum(job.stored(QUARANTINE_TABLE.name).values()) == len(values)


def test_failure_12_a_second_process_with_the_same_instance_id_ends_the_first(new_job: NewJob) -> None:
    job, other = new_job(), new_job()
    other.environment.update(
        {name: value for name, value in job.environment.items() if name.startswith(("QUALITY_", "CLICKHOUSE_"))}
    )
    job.start(QUALITY_GROUP_INSTANCE_ID="worker-1")
    other.start(ready=False, QUALITY_GROUP_INSTANCE_ID="worker-1")
    assert job.wait() == 2
    assert "another process runs under the same QUALITY_GROUP_INSTANCE_ID" in said(job)
    other.until(lambda: other.get("/readyz")[0] == 200, "the second one goes on")
    other.produce([event("a")])
    other.until(
        lambda: sum(other.stored().values()) + sum(job.stored().values()) == 0, "it reads the topic of the first"
    )
    job.produce([event("a")])
    job.until_committed(1)
    assert other.stop() == 0


def test_failure_12_a_reject_topic_for_small_records_ends_the_process_with_its_setting(new_job: NewJob) -> None:
    job = new_job()
    alter(job, job.dlq, max_message_bytes="500")
    job.start()
    job.produce([b"x" * 5_000])
    assert job.wait() == 2
    assert "max.message.bytes" in said(job)
    assert job.dlq in said(job)
    alter(job, job.dlq, max_message_bytes="2000000")
    job.start()
    job.until_committed(1)
    assert job.stop() == 0
    assert len(job.records(job.dlq)) == 1


def test_failure_12_a_commit_that_never_succeeds_is_not_ready_with_the_cause_until_it_does(new_job: NewJob) -> None:
    job = new_job()
    job.start(LPA_PROGRESS_SECONDS="5")
    for deleted in job.admin.delete_topics([job.dlq]).values():
        deleted.result(PATIENCE)
    job.produce([event("good"), b"bad"])
    job.until(lambda: "nothing was finished for" in reasons(job), "it is not ready")
    assert job.metric("lpa_standstill_seconds") > 5
    job.until(lambda: "`lpa topics apply` makes what is missing" in reasons(job), "the cause is told")
    assert job.get("/healthz")[0] == 200, "a restart would not help"
    assert job.running
    settings = load(job.environment)
    apply(job.admin, wanted_topics(settings), settings)
    job.until(lambda: job.get("/readyz")[0] == 200, "it is ready again")
    assert job.metric("lpa_standstill_seconds") == 0
    job.until_committed(2)
    assert job.stop() == 0
    assert job.stored() == Counter({(0, 0): 1})


def test_failure_12_a_database_that_is_away_is_told_before_any_backpressure(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    job.clickhouse.kill()
    job.produce([event("one")])
    job.until(lambda: "waiting for the sink: http://" in reasons(job), "the sink is named")
    assert "backpressure" not in reasons(job)
    assert job.get("/healthz")[0] == 200
    job.clickhouse.start()
    job.until_committed(1)
    job.until(lambda: job.get("/readyz")[0] == 200, "it is ready again")
    assert job.stop() == 0


def test_failure_12_a_slow_insert_is_no_standstill_and_one_that_hangs_is(new_job: NewJob) -> None:
    job = new_job()
    job.start(LPA_PROGRESS_SECONDS="4", CLICKHOUSE_SINK_TIMEOUT_SECONDS="60")
    job.clickhouse.tell(Fault("INSERT INTO", applied=True, status=200, seconds=3))
    job.produce([event("slow")])
    deadline = time.monotonic() + 20
    while job.committed() < 1:
        assert job.get("/readyz")[0] == 200, reasons(job)
        assert time.monotonic() < deadline
        time.sleep(0.2)
    job.clickhouse.tell(Fault("INSERT INTO", applied=True, status=200, seconds=18))
    job.produce([event("hangs")])
    job.until(lambda: "nothing was finished for" in reasons(job), "it is not ready")
    job.until_committed(2)
    job.until(lambda: job.get("/readyz")[0] == 200, "it is ready again")
    assert job.stop() == 0
