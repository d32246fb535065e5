"""The same job in Arroyo: ``arroyo_job.py BOOTSTRAP TOPIC RECORDS FOLDER``.

Decode, required fields, dedup by key in memory, the raw rows in batches; invalid messages to a topic of dead letters by
its policy. Offsets are committed after the insert, at least once.
"""

import json
import logging
import sys
import uuid
from collections.abc import Mapping
from typing import Any

from arroyo.backends.kafka import KafkaConsumer, KafkaPayload, KafkaProducer
from arroyo.dlq import DlqPolicy, InvalidMessage, KafkaDlqProducer
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import (
    BatchStep,
    CommitOffsets,
    FilterStep,
    ProcessingStrategy,
    ProcessingStrategyFactory,
    RunTask,
)
from arroyo.types import BrokerValue, Commit, Message, Partition, Topic
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from raw_table import RawTable, row
from stopwatch import Stopwatch

bootstrap, topic, count, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
stopwatch = Stopwatch()
table = RawTable(f"{folder}/database")
read = invalid = 0
seen: set[bytes] = set()


def decode(message: Message[KafkaPayload]) -> tuple[bytes, tuple[Any, ...]]:
    global read, invalid
    stopwatch.begin()
    read += 1
    if read >= count:
        processor.signal_shutdown()
    value = message.value
    assert isinstance(value, BrokerValue)
    found = row(value.payload.value)
    if found is None:
        invalid += 1
        raise InvalidMessage(value.partition, value.offset, log_exception=False)
    return value.payload.key or b"", found


def is_new(message: Message[tuple[bytes, tuple[Any, ...]]]) -> bool:
    key = message.payload[0]
    if key in seen:
        return False
    seen.add(key)
    return True


def insert(message: Message[Any]) -> None:
    table.insert([each.payload[1] for each in message.payload])
    stopwatch.end()


class Steps(ProcessingStrategyFactory[KafkaPayload]):
    def create_with_partitions(
        self, commit: Commit, partitions: Mapping[Partition, int]
    ) -> ProcessingStrategy[KafkaPayload]:
        writing = BatchStep(10_000, 1.0, RunTask(insert, CommitOffsets(commit)))
        return RunTask(decode, FilterStep(is_new, writing, commit_policy=None))


logging.basicConfig(level=logging.ERROR)
dead_letters = f"{topic}-dead-{uuid.uuid4().hex[:6]}"
admin = AdminClient({"bootstrap.servers": bootstrap})
admin.create_topics([NewTopic(dead_letters, 1, 1)])[dead_letters].result()
producer = KafkaProducer({"bootstrap.servers": bootstrap})
consumer = KafkaConsumer(
    {
        "bootstrap.servers": bootstrap,
        "group.id": uuid.uuid4().hex,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
    }
)
processor = StreamProcessor(
    consumer, Topic(topic), Steps(), dlq_policy=DlqPolicy(KafkaDlqProducer(producer, Topic(dead_letters)))
)
processor.run()
producer.close().result()
print(json.dumps({**stopwatch.told(read), "dead": invalid}))
