"""From Kafka into the embedded engine: killed and rebalanced at random, every event is stored once.

``LPA_KILLS`` says how often (6). A failure prints its seed.
"""

from __future__ import annotations

import os
import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chaos.expectation import expected
from chaos.verification import differences
from confluent_kafka import Consumer
from services.job import Job

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate import generate
from lpa_core.kafka.configuration import consumer_configuration
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import Position
from lpa_core.settings.loading import load

KILLS = int(os.environ.get("LPA_KILLS", "6"))
EVENTS = 3_000 * KILLS
PARTITIONS = 6
SMALL = {"CLICKHOUSE_SINK_MAX_BATCH_SIZE": "40"}
"""So that a cycle has some dozen records of several partitions."""


@contextmanager
def guest(job: Job) -> Iterator[None]:
    """Another member of the group, which takes a share of the partitions and leaves them as they are."""
    consumer = Consumer(consumer_configuration(load(job.environment)))
    consumer.subscribe([job.topic])

    def taken() -> bool:
        consumer.poll(0.2)
        return bool(consumer.assignment())

    try:
        job.until(taken, "the guest has partitions")
        yield
    finally:
        consumer.close()


def test_kills_and_rebalances_of_an_embedded_engine_lose_and_repeat_nothing(
    new_job: Callable[..., Job],
) -> None:
    """Partitions come back in other groupings than their ranges were written in."""
    seed = random.SystemRandom().randrange(1 << 31)
    print(f"seed {seed}")
    draw = random.Random(seed)
    job = new_job(partitions=PARTITIONS)
    job.clickhouse.kill()
    job.sink = f"chdb://{job.clickhouse.data}"
    pipeline = Pipeline(BUILTIN_EVENT_TYPES)

    def home(line: bytes) -> int:
        """Equal events have one partition."""
        key = pipeline.process(line, Position(job.topic, 0, 0)).dedup_key
        return zlib.crc32(key.encode() if key else line) % PARTITIONS

    events = [line.rstrip(b"\n") for line in generate(EVENTS, duplicates=0.05, bad=0.03, sessions=20, seed=seed)]
    values = {
        place: value
        for partition in range(PARTITIONS)
        for some in [[value for value in events if home(value) == partition]]
        for place, value in zip(job.produce(some, partition), some, strict=True)
    }
    repeated = 0.0
    for _ in range(KILLS):
        job.start(**SMALL)
        if draw.random() < 0.5:
            with guest(job):
                time.sleep(draw.uniform(0, 1))
                if draw.random() < 0.5:
                    repeated += job.metric("lpa_prepared_ranges_repeated_total")
                    job.kill()
                    job.start(**SMALL)
        time.sleep(draw.uniform(0, 1))
        repeated += job.metric("lpa_prepared_ranges_repeated_total")
        job.kill()
    job.start()
    for partition in range(PARTITIONS):
        count = sum(found == partition for found, _ in values)
        job.until(lambda: job.committed(partition) >= count, f"{partition} is finished", 120)  # noqa: B023
    repeated += job.metric("lpa_prepared_ranges_repeated_total")
    assert job.stop() == 0
    assert repeated, "no kill fell into a cycle"
    job.clickhouse.start()
    wanted = expected(job.topic, ((partition, offset, value) for (partition, offset), value in values.items()))
    with job.clickhouse.client() as client:
        found = list(differences(wanted, client, job.topic, job.bootstrap, job.dlq, job.quarantine))
    assert not found, "\n".join(found)
