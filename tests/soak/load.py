"""Generated events, sent at a steady rate; how many of which kind is known beforehand."""

from __future__ import annotations

import re
import threading
import time
import zlib
from itertools import islice
from typing import final

from confluent_kafka import Producer

from lpa_core.generate import generate

DUPLICATES, BAD = 0.03, 0.004
"""Shares of all events, below those at which `lpa health` warns."""
_EVENTS_PER_SESSION = 600
_BEGIN_BEFORE_MS = 20 * 3_600_000
"""Events are of the last 24 hours, which checks look back, and none is of the future."""
_AT_ONCE_SECONDS = 0.1
_STREAM = re.compile(rb'"stream_id":"([^"]+)"')


@final
class Load(threading.Thread):
    """Sends ``seconds * rate`` events to a topic that nobody else writes to.

    A stream's events go into one partition, so a repeated one meets the one it repeats.
    """

    def __init__(self, bootstrap: str, topic: str, partitions: int, seconds: int, rate: int, seed: int) -> None:
        super().__init__(name="load")
        self.events = seconds * rate
        self.duplicates, self.bad = round(self.events * DUPLICATES), round(self.events * BAD)
        self.ends = dict.fromkeys(range(partitions), 0)
        """Partition -> offset after the last event that was delivered."""
        self.delivered = 0
        self.seconds = 0.0
        """What it took in the end."""
        self._brokers, self._topic, self._rate, self._seed = bootstrap, topic, rate, seed

    @property
    def accepted(self) -> int:
        return self.events - self.duplicates - self.bad

    def run(self) -> None:
        producer = Producer(
            {"bootstrap.servers": self._brokers, "enable.idempotence": True, "linger.ms": 20, "log_level": 0}
        )
        records = generate(
            self.events,
            duplicates=DUPLICATES,
            bad=BAD,
            sessions=max(1, self.events // _EVENTS_PER_SESSION),
            seed=self._seed,
            start_ms=time.time_ns() // 1_000_000 - _BEGIN_BEFORE_MS,
        )
        started, sent = time.monotonic(), 0
        while chunk := list(islice(records, max(1, round(self._rate * _AT_ONCE_SECONDS)))):
            for record in chunk:
                producer.produce(self._topic, record, partition=self._partition(record), on_delivery=self._delivered)
            sent += len(chunk)
            producer.poll(max(0.0, started + sent / self._rate - time.monotonic()))
            # A poll ends with the first delivery: whoever is still early waits for the rest.
            while (early := started + sent / self._rate - time.monotonic()) > 0:
                time.sleep(early)
        assert producer.flush(120) == 0, "not every event could be produced"
        self.seconds = time.monotonic() - started

    def _partition(self, record: bytes) -> int:
        stream = _STREAM.search(record)
        return zlib.crc32(stream[1] if stream else record) % len(self.ends)

    def _delivered(self, error: object, message: object) -> None:
        assert error is None, error
        partition, offset = message.partition(), message.offset()  # type: ignore[attr-defined]
        self.ends[partition] = max(self.ends[partition], offset + 1)
        self.delivered += 1
