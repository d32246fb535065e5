"""``lpa ingest`` as a process of its own, on topics, a group, a database and a data folder of the test's own."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, final
from uuid import uuid4

import msgspec
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.topics import apply as apply_topics
from lpa_core.kafka.topics import wanted_topics
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load
from lpa_core.settings.settings import Settings
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.ports import free_port
from lpa_sinks.schema.apply import apply as apply_schema
from services.clickhouse import ClickHouseServer
from services.forked import ForkedLpa
from services.processes import PATIENCE

Place = tuple[int, int]
"""Partition and offset."""

TOKEN = "a-token-for-tests-0123456789"
_DATABASE = "livepeer_analytics"


def event(identity: str, **more: object) -> bytes:
    """A small valid event of that id."""
    now = time.time_ns() // 1_000_000
    return msgspec.json.encode(
        {
            "id": identity,
            "type": "stream_trace",
            "timestamp": str(now),
            "version": "1",
            "gateway": "gateway",
            "data": {"type": "gateway_receive_stream_request", "timestamp": now, "stream_id": "s", "request_id": "r"},
            **more,
        }
    )


@final
class Job:
    """A main job that is started, looked at over its admin endpoint, and stopped."""

    def __init__(
        self,
        bootstrap: str,
        clickhouse: ClickHouseServer,
        folder: Path,
        partitions: int = 1,
        dedup: str = "",
    ) -> None:
        name = uuid4().hex[:8]
        self.topic, self.dlq, self.quarantine = f"in-{name}", f"dlq-{name}", f"quarantine-{name}"
        self.bootstrap, self.clickhouse, self.folder, self._dedup = bootstrap, clickhouse, folder, dedup
        self.sink = f"clickhouse://127.0.0.1:{clickhouse.port}"
        self.port = free_port()
        self.data = folder / "data"
        self.log = folder / "log"
        self.environment = {
            "QUALITY_KAFKA_BOOTSTRAP": bootstrap,
            "QUALITY_INPUT_TOPIC": self.topic,
            "QUALITY_DLQ_TOPIC": self.dlq,
            "QUALITY_QUARANTINE_TOPIC": self.quarantine,
            "QUALITY_TOUCHED_TOPIC": f"touched-{name}",
            "LPA_MATERIALIZE_GROUP_ID": f"materialize-{name}",
            "QUALITY_GROUP_ID": f"group-{name}",
            "CLICKHOUSE_USER": clickhouse.user,
            "CLICKHOUSE_PASSWORD": clickhouse.password,
            "CLICKHOUSE_SINK_MAX_TIME_MS": "200",
            "CLICKHOUSE_SINK_TIMEOUT_SECONDS": "3",
            "LPA_KAFKA_SESSION_TIMEOUT_MS": "6000",
            "LPA_KAFKA_HEARTBEAT_INTERVAL_MS": "1000",
            "LPA_ADMIN_ADDRESS": f"127.0.0.1:{self.port}",
            "LPA_ADMIN_TOKEN": TOKEN,
            "LPA_DATA_DIR": str(self.data),
            "LPA_LOG_FORMAT": "json",
            "LPA_STOP_SECONDS": "5",
            "HEALTH_INTERVAL_SECONDS": "0",
        }
        settings = load(self.environment)
        self.admin: AdminClient = admin_client(settings)
        apply_topics(self.admin, wanted_topics(settings, partitions), settings)
        tables = (*Pipeline(PluginManager(Settings()).event_types()).tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)
        with clickhouse.client() as client:
            apply_schema(client, _DATABASE, tables)
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 1, "log_level": 0})
        self._process: ForkedLpa | None = None

    # The process.

    def start(self, *arguments: str, ready: bool = True, **environment: str) -> None:
        """Start it, and wait until it says it is ready."""
        dedup = self._dedup or f"rocksdb://{self.data / 'dedup'}"
        command = ["ingest", "--sink", self.sink, "--dedup", dedup, *arguments]
        whole = {**os.environ, **self.environment, **environment}
        self._process = ForkedLpa(command, self.log, whole, self.folder)
        if ready:
            self.until(lambda: not self.running or self.get("/readyz")[0] == 200, "it is ready")
            assert self.running, f"it has ended:\n{self.log.read_text()[-3000:]}"

    def stop(self, seconds: float = PATIENCE) -> int:
        """Ask it to end; answer its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds: float = PATIENCE) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def until_left(self) -> None:
        """Wait until the group has no members: one that was killed counts until its session times out."""
        group = self.environment["QUALITY_GROUP_ID"]
        self.until(
            lambda: not self.admin.describe_consumer_groups([group])[group].result().members, "the group is empty"
        )

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            tail = self.log.read_text()[-3000:] if self.log.exists() else ""
            assert time.monotonic() < deadline, f"never came true: {what}\n{tail}"
            time.sleep(0.1)

    # Its admin endpoint.

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body, decoded where it is JSON; status 0 where nobody answers."""
        return _asked(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))

    def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Value by name and labels."""
        status, text = self.get("/metrics")
        assert status == 200
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def metric(self, name: str, **labels: str) -> float:
        """The value of one series, 0 where there is none yet."""
        return self.metrics().get((name, frozenset(labels.items())), 0.0)

    @staticmethod
    def looking_at(port: int) -> Callable[[str], tuple[int, Any]]:
        """Asks the admin endpoint of another process of the job as ``get`` asks its own."""
        return lambda path: _asked(urllib.request.Request(f"http://127.0.0.1:{port}{path}"))

    # Records, and what became of them.

    def send(self, value: bytes, partition: int = 0, topic: str = "") -> None:
        """Hand one record to the producer; the next :meth:`produce` waits until it is delivered."""
        self._producer.produce(topic or self.topic, value, partition=partition)
        self._producer.poll(0)

    def produce(self, values: Iterable[bytes | None], partition: int = 0, **more: Any) -> list[Place]:
        """Send records; ``more`` is what they have beside the value: ``key``, ``headers``."""
        places: list[Place] = []

        def delivered(error: object, message: Message) -> None:
            assert error is None, error
            places.append((message.partition() or 0, message.offset() or 0))

        for value in values:
            self._producer.produce(self.topic, value, partition=partition, on_delivery=delivered, **more)
            self._producer.poll(0)
        assert self._producer.flush(PATIENCE) == 0
        return places

    def committed(self, partition: int = 0) -> int:
        """The group's offset; -1001 where there is none."""
        with _consumer(self.bootstrap, self.environment["QUALITY_GROUP_ID"]) as consumer:
            (found,) = consumer.committed([TopicPartition(self.topic, partition)], PATIENCE)
            return int(found.offset)

    def commit(self, offset: int, partition: int = 0, metadata: str = "") -> None:
        """Set the group's offset, the job being stopped."""
        with _consumer(self.bootstrap, self.environment["QUALITY_GROUP_ID"]) as consumer:
            entry = TopicPartition(self.topic, partition, offset, metadata)
            consumer.commit(offsets=[entry], asynchronous=False)

    def until_committed(self, offset: int, partition: int = 0) -> None:
        self.until(lambda: self.committed(partition) >= offset, f"offset {offset} of {partition} is committed")

    def stored(self, table: str = RAW_TABLE.name) -> Counter[Place]:
        """Rows of each place in a table."""
        with self.clickhouse.client() as client:
            rows = client.query(
                f"SELECT source_partition, source_offset FROM {_DATABASE}.{table} "
                "WHERE source_topic = {topic:String}",
                parameters={"topic": self.topic},
            ).result_rows
        return Counter((partition, offset) for partition, offset in rows)

    def records(self, topic: str) -> list[Message]:
        """What a reader of committed records finds in a topic."""
        found = []
        with _consumer(self.bootstrap, "reader") as consumer:
            partitions = consumer.list_topics(topic, PATIENCE).topics[topic].partitions
            consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
            ended = 0
            while ended < len(partitions):
                message = consumer.poll(PATIENCE)
                assert message is not None, f"{topic} cannot be read to its end"
                if message.error():
                    ended += 1
                else:
                    found.append(message)
        return found


def headers(message: Message) -> Mapping[str, str]:
    return {name: (value or b"").decode() for name, value in message.headers() or []}


def _consumer(bootstrap: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )


def _asked(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, _decoded(answer.headers["Content-Type"], answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _decoded(error.headers["Content-Type"], error.read())
    except OSError:
        return 0, None


def _decoded(content_type: str | None, body: bytes) -> Any:
    return msgspec.json.decode(body) if content_type == "application/json" else body.decode()
