"""Workers, brokers, the database and Redis fail at random; afterwards every record is where it belongs, once.

``LPA_CHAOS_FAULTS`` says how many faults (20), ``LPA_CHAOS_SEED`` which ones, ``LPA_CHAOS_WORKERS`` how many workers.
The same seed draws the same faults; when they strike is the machine's doing.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from redis import Redis
from services.clickhouse import ClickHouseServer
from services.kafka import KafkaCluster

from chaos.expectation import expected
from chaos.verification import differences, places, written_between
from chaos.workers import SESSION_SECONDS, WorkerProcess
from lpa_core.delivery.batch_clock import SLACK_MS
from lpa_core.generate import generate
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.topics import apply as apply_topics
from lpa_core.kafka.topics import wanted_topics
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import Position
from lpa_core.settings.loading import load
from lpa_core.settings.settings import Settings
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.redis_server import RedisServer
from lpa_sinks.schema.apply import apply
from lpa_sinks.testing.http_front import Fault

FAULTS = int(os.environ.get("LPA_CHAOS_FAULTS", "20"))
SEED = int(os.environ.get("LPA_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
WORKERS = int(os.environ.get("LPA_CHAOS_WORKERS", "2"))
PARTITIONS = 4
EVENTS_PER_SECOND = 100
PAGE = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 28\r\n\r\n<html>Please sign in.</html>"
STEPS = ("judged", "claimed", "prepared", "written", "finished")


class World:
    """All that runs, and what can go wrong with it."""

    def __init__(self, folder: Path, draw: random.Random, shared_dedup: bool) -> None:
        self.draw = draw
        self.kafka = KafkaCluster()
        self.clickhouse = ClickHouseServer()
        (folder / "redis").mkdir()
        self.redis = RedisServer(folder / "redis", "--appendonly", "yes", "--appendfsync", "always")
        self.redis.start()
        name = uuid.uuid4().hex[:8]
        self.topic, self.dlq, self.quarantine = f"in-{name}", f"dlq-{name}", f"quarantine-{name}"
        settings = {
            "QUALITY_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "QUALITY_INPUT_TOPIC": self.topic,
            "QUALITY_DLQ_TOPIC": self.dlq,
            "QUALITY_QUARANTINE_TOPIC": self.quarantine,
            "QUALITY_TOUCHED_TOPIC": f"touched-{name}",
            "QUALITY_GROUP_ID": f"group-{name}",
            "CLICKHOUSE_USER": self.clickhouse.user,
            "CLICKHOUSE_PASSWORD": self.clickhouse.password,
        }
        loaded = load(settings)
        apply_topics(admin_client(loaded), wanted_topics(loaded, PARTITIONS), loaded)
        sink = f"clickhouse://127.0.0.1:{self.clickhouse.port}"
        dedup = self.redis.url if shared_dedup else ""
        self.workers = [WorkerProcess(f"worker-{n}", folder, settings, sink, dedup) for n in range(WORKERS)]
        self.spare = WorkerProcess("spare", folder, settings, sink, dedup)
        self.produced: list[tuple[int, int, bytes]] = []
        self.committed = self.aborted = 0
        """Transactions."""
        self.happened: list[str] = []

    def close(self) -> None:
        for worker in (*self.workers, self.spare):
            worker.kill()
        self.kafka.close()
        self.clickhouse.close()
        self.redis.stop()

    def produce(self, until: threading.Event) -> None:
        """Send events at an even pace; equal ones into one partition."""
        producer = Producer(
            {"bootstrap.servers": self.kafka.bootstrap, "enable.idempotence": True, "linger.ms": 5, "log_level": 0}
        )
        started = time.monotonic()

        def delivered(error: object, message: object) -> None:
            assert error is None, error
            self.produced.append((message.partition(), message.offset(), message.value()))  # type: ignore[attr-defined]

        values = generate(10_000_000, duplicates=0.03, bad=0.03, sessions=50, seed=SEED)
        for number, value in enumerate(values, start=1):
            if until.is_set():
                break
            line = value.rstrip(b"\n")
            producer.produce(self.topic, line, partition=_home(line), on_delivery=delivered)
            ahead = number / EVENTS_PER_SECOND - (time.monotonic() - started)
            if ahead > 0:
                producer.poll(min(ahead, 0.1))
        assert producer.flush(120) == 0, "not every event could be produced"

    def produce_in_transactions(self, until: threading.Event) -> None:
        """Send more in transactions: some stay open for a while, some are aborted, some time out with their broker."""
        draw = random.Random(f"{SEED} transactions")
        values = iter(generate(10_000_000, duplicates=0.03, bad=0.03, sessions=20, seed=SEED + 1))
        producer: Producer | None = None
        while not until.is_set():
            try:
                if producer is None:
                    producer = self._transactional()
                producer.begin_transaction()
                for line in (value.rstrip(b"\n") for value in itertools.islice(values, draw.randint(1, 20))):
                    producer.produce(self.topic, line, partition=_home(line))
                producer.flush(5)
                until.wait(draw.choice([0, 0.2, 3]))
                if draw.random() < 0.4:
                    producer.abort_transaction(15)
                    self.aborted += 1
                else:
                    producer.commit_transaction(15)
                    self.committed += 1
            except KafkaException:  # the next one of the same id ends what is open
                producer = None
        if producer is None:
            self._transactional()

    def _transactional(self) -> Producer:
        producer = Producer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "transactional.id": f"chaos-{self.topic}",
                "transaction.timeout.ms": 10_000,
                "log_level": 0,
            }
        )
        producer.init_transactions(60)
        return producer

    def readable(self) -> list[tuple[int, int, bytes]]:
        """What a consumer that reads committed records is given of the topic: no markers, nothing aborted."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": f"reader-{self.topic}",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        consumer.assign([TopicPartition(self.topic, number, 0) for number in range(PARTITIONS)])
        found: list[tuple[int, int, bytes]] = []
        ended: set[int] = set()
        while len(ended) < PARTITIONS:
            message = consumer.poll(30)
            assert message is not None, f"no end of {set(range(PARTITIONS)) - ended} can be read: a transaction is open"
            error = message.error()
            if error is None:
                found.append((message.partition(), message.offset(), message.value()))
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                ended.add(message.partition())
        consumer.close()
        return found

    # Faults.

    def strike(self) -> None:
        name, fault = self.draw.choice(
            [
                ("kill a worker", self.kill_worker),
                ("kill a worker at a step", self.kill_at_step),
                ("freeze a worker until it has lost the group", self.freeze_worker),
                ("stop a worker", self.stop_worker),
                ("one worker more, or less", self.join_or_leave),
                ("inserts fail", self.inserts_fail),
                ("inserts fail", self.inserts_fail),
                ("an insert hangs", self.insert_hangs),
                ("an insert is applied late", self.insert_applied_late),
                ("inserts are not acknowledged", self.inserts_unacknowledged),
                ("inserts are not acknowledged", self.inserts_unacknowledged),
                ("the database dies", self.database_dies),
                ("the broker restarts", self.broker_restarts),
                ("Redis restarts", self.redis_restarts),
                ("Redis may evict", self.redis_may_evict),
                ("a login page answers inserts", self.page_answers_inserts),
                ("a login page answers inserts", self.page_answers_inserts),
                ("a login page answers everything", self.page_answers_everything),
                ("an answer is cut", self.answer_is_cut),
                ("a clock is wrong", self.clock_is_wrong),
                ("a clock is wrong", self.clock_is_wrong),
            ]
        )
        self.happened.append(name)
        fault()

    def worker(self) -> WorkerProcess:
        return self.draw.choice(self.workers)

    def kill_worker(self) -> None:
        time.sleep(self.draw.random())
        worker = self.worker()
        worker.kill()
        worker.start()

    def kill_at_step(self) -> None:
        worker = self.worker()
        worker.kill()
        worker.start(self.draw.choice(STEPS), self.draw.randint(1, 8))

    def freeze_worker(self) -> None:
        worker = self.worker()
        if worker.running and worker.frozen_until is None:
            worker.signal(signal.SIGSTOP)
            worker.frozen_until = time.monotonic() + SESSION_SECONDS + self.draw.uniform(1, 4)

    def stop_worker(self) -> None:
        worker = self.worker()
        if worker.running and worker.frozen_until is None:
            worker.ask_to_end()

    def join_or_leave(self) -> None:
        if self.spare.running:
            self.spare.ask_to_end()
        else:
            self.spare.start()

    def inserts_fail(self) -> None:
        self.clickhouse.tell(Fault("INSERT INTO", self.draw.choice([252, 241, 999, None])), self.draw.randint(1, 5))

    def insert_hangs(self) -> None:
        self.clickhouse.tell(Fault("INSERT INTO", silent=True, seconds=5))

    def insert_applied_late(self) -> None:
        self.clickhouse.tell(Fault("INSERT INTO", silent=True, applied=True, seconds=4))

    def inserts_unacknowledged(self) -> None:
        self.clickhouse.tell(Fault("INSERT INTO", silent=True, applied=True), self.draw.randint(1, 3))

    def database_dies(self) -> None:
        self.clickhouse.tell(Fault("INSERT INTO", applied=self.draw.random() < 0.5, dies=True))

    def broker_restarts(self) -> None:
        if self.draw.random() < 0.5:
            self.kafka.kill_broker(0)
        else:
            self.kafka.stop_broker(0)
        self.kafka.start_broker(0)

    def redis_restarts(self) -> None:
        self.redis.stop()
        time.sleep(self.draw.random())
        self.redis.start()

    def redis_may_evict(self) -> None:
        """A worker has to stop, and to start no other, for as long as claims could go."""
        with Redis.from_url(self.redis.url) as client:
            client.config_set("maxmemory-policy", self.draw.choice(["allkeys-lru", "volatile-ttl", "allkeys-random"]))
            time.sleep(self.draw.uniform(1, 3))
            client.config_set("maxmemory-policy", "noeviction")

    def page_answers_inserts(self) -> None:
        fault = Fault("INSERT INTO", answer=PAGE, applied=self.draw.random() < 0.5)
        self.clickhouse.tell(fault, self.draw.randint(1, 5))

    def page_answers_everything(self) -> None:
        self.clickhouse.tell(Fault("", answer=PAGE), self.draw.randint(1, 8))

    def answer_is_cut(self) -> None:
        self.clickhouse.tell(Fault("INSERT INTO", cut=self.draw.randint(0, 500), applied=True, status=200))

    def clock_is_wrong(self) -> None:
        """As at boot in 1970, or far ahead for a moment: nothing may be stored under such a time."""
        worker = self.worker()
        worker.clock.write_text(self.draw.choice(["-1700000000", "-86400", "86400", "2300000000"]))
        if self.draw.random() < 0.3:
            worker.kill()
            worker.start()
        time.sleep(self.draw.uniform(1, 3))
        worker.clock.unlink()

    def mend(self) -> None:
        """Wake what has slept long enough, and start again what has ended."""
        for worker in self.workers:
            if worker.frozen_until is not None and time.monotonic() > worker.frozen_until:
                worker.signal(signal.SIGCONT)
                worker.frozen_until = None
            if not worker.running:
                worker.start()
        if not self.clickhouse.running:
            self.clickhouse.restart()


_PIPELINE = Pipeline(PluginManager(Settings()).event_types())


def _home(line: bytes) -> int:
    """The partition of an event: the same for equal ones."""
    verdict = _PIPELINE.process(line, Position("", 0, 0))
    return zlib.crc32((verdict.dedup_key or "").encode() or line) % PARTITIONS


def _wait(what: str, ready: Callable[[], bool], seconds: float, meanwhile: Callable[[], None]) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, what
        meanwhile()
        time.sleep(0.5)


def _all_committed(world: World, group: str) -> bool:
    ends: dict[int, int] = {}
    for partition, offset, _ in world.produced:
        ends[partition] = max(ends.get(partition, 0), offset + 1)
    consumer = Consumer(
        {"bootstrap.servers": world.kafka.bootstrap, "group.id": group, "isolation.level": "read_committed"}
    )
    try:
        found = consumer.committed([TopicPartition(world.topic, partition) for partition in ends], 5)
        return all(entry.offset >= ends[entry.partition] and not entry.metadata for entry in found)
    except KafkaException:
        return False
    finally:
        consumer.close()


@pytest.fixture(params=["rocksdb", "redis"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    draw = random.Random(f"{SEED} {request.param}")
    made = World(tmp_path, draw, shared_dedup=request.param == "redis")
    yield made
    made.close()


@pytest.mark.chaos
def test_every_record_ends_where_it_belongs_once(world: World) -> None:
    print(f"LPA_CHAOS_SEED={SEED} LPA_CHAOS_FAULTS={FAULTS} LPA_CHAOS_WORKERS={WORKERS}")
    client = world.clickhouse.client()
    apply(client, "livepeer_analytics", (*_PIPELINE.tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE))
    client.close()
    world.workers[0].start()
    _wait(
        "the first worker never started",
        lambda: b"partitions assigned" in world.workers[0].log.read_bytes(),
        60,
        lambda: None,
    )
    begun, enough = time.time() * 1000, threading.Event()
    producers = [
        threading.Thread(target=send, args=(enough,)) for send in (world.produce, world.produce_in_transactions)
    ]
    for producer in producers:
        producer.start()
    try:
        for worker in world.workers[1:]:
            worker.start()
        for number in range(FAULTS // 2):
            world.strike()
            print(f"{time.monotonic():.0f} fault {number + 1}: {world.happened[-1]}", flush=True)
            for _ in range(world.draw.randint(1, 8)):
                time.sleep(0.5)
                world.mend()
    finally:
        enough.set()
        for producer in producers:
            producer.join()
    acknowledged = set(world.produced)
    world.produced = world.readable()
    assert acknowledged <= set(world.produced)
    assert world.committed, "no transaction came through"
    world.clickhouse.forget_faults() if world.clickhouse.running else world.clickhouse.restart()
    world.spare.kill()
    group = world.topic.replace("in-", "group-")
    try:
        _wait("not everything was delivered in time", lambda: _all_committed(world, group), 180, world.mend)
    except AssertionError:
        for worker in world.workers:
            print(f"{worker.name}, status {worker.status}:\n{worker.log.read_text()[-8000:]}")
        raise
    for worker in world.workers:
        assert worker.stop() == 0, worker.log.read_text()[-3000:]

    wanted = expected(world.topic, world.produced)
    found = list(
        differences(wanted, world.clickhouse.client(), world.topic, world.kafka.bootstrap, world.dlq, world.quarantine)
    )
    assert not found, "\n".join(found)
    assert wanted.dead_letters
    assert wanted.duplicates
    first, last = written_between(world.clickhouse.client(), world.topic)
    assert begun - SLACK_MS <= first <= last <= time.time() * 1000 + SLACK_MS
    print(f"{world.committed} transactions were committed, {world.aborted} aborted")
    print(f"{len(world.produced)} records, {len(world.happened)} faults: {sorted(set(world.happened))}")
    assert places(world.clickhouse.client(), "streaming_events", world.topic)
