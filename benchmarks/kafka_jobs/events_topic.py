"""The topic of generated events that all jobs read, on a broker of the run's own, and what they should store of it."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

import orjson
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from raw_table import row
from services.kafka import KafkaCluster

from lpa_core.generate import generate

PARTITIONS = 12


class EventsTopic:
    def __init__(self, folder: Path, events: int) -> None:
        self.events = events
        self.kafka = KafkaCluster()
        self.name = self.new_topic("events")
        self.expected = folder / "expected.ndjson"
        """What a job should store: each event that has its required fields, once."""
        self._fill()

    def new_topic(self, name: str) -> str:
        topic = f"{name}-{uuid.uuid4().hex[:6]}"
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap})
        for future in admin.create_topics([NewTopic(topic, PARTITIONS, 1)]).values():
            future.result()
        return topic

    def _fill(self) -> None:
        producer, keys = self.producer(50), set[bytes]()
        with self.expected.open("wb") as expected:
            for value in generate(self.events, duplicates=0.02, bad=0.01, sessions=50, seed=1):
                line = value.rstrip(b"\n")
                key = key_of(line)
                if key not in keys and row(line) is not None:
                    keys.add(key)
                    expected.write(line + b"\n")
                while True:
                    try:
                        producer.produce(self.name, line, key=key)
                        break
                    except BufferError:
                        producer.poll(0.1)
        producer.flush(300)

    def producer(self, linger_ms: int) -> Producer:
        return Producer({"bootstrap.servers": self.kafka.bootstrap, "linger.ms": linger_ms, "log_level": 0})


def key_of(line: bytes) -> bytes:
    """The event's id, or what else tells it apart, so that equal events lie in one partition."""
    try:
        own = str(orjson.loads(line).get("id") or "")
    except (ValueError, AttributeError):
        own = ""
    return (own or hashlib.blake2b(line, digest_size=16).hexdigest()).encode()
