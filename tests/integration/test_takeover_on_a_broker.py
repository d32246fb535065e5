"""What version 0.1.0 left in Kafka is taken over: offsets with a prepared range, and what brings them back."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from taken_over import TakenOver

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import commit, committed, committed_in_the_end
from lpa_core.settings.loading import load
from lpa_core.settings.settings import Settings

pytestmark = pytest.mark.each_share

ENVIRONMENT = {
    "QUALITY_INPUT_TOPIC": "from-0.1.0",
    "QUALITY_DLQ_TOPIC": "from-0.1.0.dlq",
    "QUALITY_QUARANTINE_TOPIC": "from-0.1.0.quarantine",
    "QUALITY_TOUCHED_TOPIC": "from-0.1.0.touched",
    "QUALITY_GROUP_ID": "from-0.1.0.group",
    "LPA_ADMIN_ADDRESS": "127.0.0.1:0",
}


def fill(settings: Settings, records: list[list[str]]) -> None:
    producer = Producer({"bootstrap.servers": settings.quality.kafka_bootstrap, "log_level": 0})
    for number, values in enumerate(records):
        for value in values:
            producer.produce(settings.quality.input_topic, value.encode(), partition=number)
    assert producer.flush(60) == 0


def deliver(place: TakenOver, settings: Settings, ends: Mapping[Partition, int]) -> None:
    """Run the worker until all of it is finished."""
    admin, worker = admin_client(settings), place.start("ingest --archive archive")
    deadline = time.monotonic() + 90
    while {each: now.offset for each, now in committed_in_the_end(admin, settings).items()} != ends:
        assert worker.poll() is None, "it has ended"
        assert time.monotonic() < deadline, committed(admin, settings)
        time.sleep(0.2)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 0


def removed(admin: AdminClient, topic: str, group: str) -> None:
    """Of a run before this one, on brokers that outlive it."""
    for asked in (*admin.delete_topics([topic]).values(), *admin.delete_consumer_groups([group]).values()):
        try:
            asked.result(30)
        except KafkaException:
            continue


def test_a_group_is_gone_on_with(kafka: str, tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "QUALITY_KAFKA_BOOTSTRAP": kafka}
    place = TakenOver(tmp_path, "topic", **environment)
    topic, records = place.told["topic"], place.told["records"]
    settings = load(environment)
    admin = admin_client(settings)
    removed(admin, topic, settings.quality.group_id)
    applied, tables = place.lpa("topics apply --partitions 2", "schema apply")
    assert applied.status == 0, applied.err
    assert tables.status == 0, tables.err
    fill(settings, records)
    stood = {Partition(topic, int(number)): Commit(*found) for number, found in place.told["committed"].items()}
    ends = {Partition(topic, number): len(values) for number, values in enumerate(records)}
    every_record_once = [(topic, each.number, offset) for each, end in sorted(ends.items()) for offset in range(end)]
    commit(admin, settings, stood)

    deliver(place, settings, ends)
    assert place.records() == every_record_once
    assert place.rows() == place.told["rows"], "as 0.1.0 has them where nothing is killed"

    # A savepoint brings offsets and claims back, a backup the tables with them.
    verified, restored = place.lpa(
        f"backup verify backups/{place.told['backup']}", f"savepoint restore savepoints/{place.told['savepoint']}"
    )
    assert verified.status == 0, verified.out
    assert restored.status == 0, restored.err
    assert committed(admin, settings) == stood
    (restored,) = place.lpa(f"backup restore backups/{place.told['backup']} --replace")
    assert restored.status == 0, restored.err
    assert committed(admin, settings) == stood
    deliver(place, settings, ends)
    assert place.records() == every_record_once
    assert place.rows() == place.told["rows"]

    fill(settings, [records[0][:1], []])
    ends[Partition(topic, 0)] += 1
    deliver(place, settings, ends)
    assert place.rows()["streaming_events_quarantine"] == place.told["rows"]["streaming_events_quarantine"] + 1
