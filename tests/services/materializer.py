"""``lpa materialize`` as a process of its own, beside a job."""

from __future__ import annotations

import os
import signal
from typing import final

from confluent_kafka import Consumer, TopicPartition

from lpa_core.testing.ports import free_port
from services.forked import ForkedLpa
from services.job import Job
from services.processes import PATIENCE


@final
class Materializer:
    """``lpa materialize`` beside a job."""

    def __init__(self, job: Job, number: int) -> None:
        self._job, self.log = job, job.folder / f"materialize-{number}"
        self.port = free_port()
        self.process: ForkedLpa | None = None

    def start(self, **environment: str) -> None:
        whole = {**os.environ, **self._job.environment, "LPA_ADMIN_ADDRESS": f"127.0.0.1:{self.port}", **environment}
        sink = f"clickhouse://127.0.0.1:{self._job.clickhouse.port}"
        self.process = ForkedLpa(["materialize", "--sink", sink], self.log, whole, self._job.folder)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds: float = PATIENCE) -> int:
        """Ask it to end, once it can be asked; answer its exit status."""
        assert self.process is not None
        # While the interpreter starts nothing minds signals; who answers here minds them.
        self._job.until(lambda: self._job.looking_at(self.port)("/healthz")[0] == 200, "it has started", seconds)
        self.signal(signal.SIGTERM)
        return self.process.wait(seconds)


def behind(job: Job) -> int:
    """Records that are not delivered yet, and sessions touched by delivered ones that no materializer has done."""
    # The former first: what they touch is published as they are finished.
    undelivered = _not_done(job, "QUALITY_INPUT_TOPIC", "QUALITY_GROUP_ID")
    return undelivered + _not_done(job, "QUALITY_TOUCHED_TOPIC", "LPA_MATERIALIZE_GROUP_ID")


def _not_done(job: Job, topic_setting: str, group_setting: str) -> int:
    configuration = {
        "bootstrap.servers": job.bootstrap,
        "group.id": job.environment[group_setting],
        "isolation.level": "read_committed",
        "log_level": 0,
    }
    consumer = Consumer(configuration)
    try:
        topic = job.environment[topic_setting]
        numbers = consumer.list_topics(topic, PATIENCE).topics[topic].partitions
        found = consumer.committed([TopicPartition(topic, number) for number in numbers], PATIENCE)
        return sum(consumer.get_watermark_offsets(entry, PATIENCE)[1] - max(0, entry.offset) for entry in found)
    finally:
        consumer.close()
