"""Streams as records in order of arrival, with others between them."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import final

import msgspec

from lpa_core.generate.broken import BrokenProducer
from lpa_core.generate.ignored import IgnoredProducer
from lpa_core.generate.jobs import JobProducer
from lpa_core.generate.mixture import Mixture
from lpa_core.generate.network import gateways
from lpa_core.generate.producer import Event
from lpa_core.generate.streams import streams

START_MS = 1_767_900_000_000
"""2026-01-08 19:20:00 UTC."""

_NETWORK_SEED = 35
"""One network for all seeds: files of different seeds have the same orchestrators."""
_LATE = 0.004
"""Share of events that arrive seconds or minutes after they happened."""
_LATEST_MS = 90_000
_JITTER_MS = 300
_RECENT = 256
_OLDER = 4096
_KEPT_AS_OLDER = 0.05
_REPEATED_LONG_AFTER = 0.3


def generate(
    events: int,
    *,
    duplicates: float,
    bad: float,
    sessions: int,
    seed: int,
    jobs: float = 0.0,
    ignored: float = 0.0,
    start_ms: int = START_MS,
) -> Iterator[bytes]:
    """Records as producers send them, in order of arrival, without line ends.

    Args:
        start_ms: epoch ms when the first stream begins. The other arguments are those of :class:`Mixture`.

    Raises:
        ValueError: a number is out of range.
    """
    mixture = Mixture(
        events=events, duplicates=duplicates, bad=bad, jobs=jobs, ignored=ignored, sessions=sessions, seed=seed
    )
    return (record for _, record in timed(mixture, start_ms))


def timed(
    mixture: Mixture, start_ms: int = START_MS, *, streams_at_once: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """(epoch ms of arrival, record) in the order of arrival; no event is later than its arrival by more than 3 ms.

    Args:
        start_ms: epoch ms when the first stream begins.
        streams_at_once: how many streams run at any time; by default as many as suit the number of sessions.
    """
    network = gateways(Random(_NETWORK_SEED))
    seed, rng_of_streams = mixture.seed, Random(mixture.seed)
    happening = streams(rng_of_streams, network, start_ms, mixture.of_streams, mixture.sessions, streams_at_once)
    arrivals = _arrivals(rng_of_streams, happening)
    # A source of its own: the valid events stay the same whatever is mixed in.
    rng = Random(f"{seed} mixed")
    broken_producer = BrokenProducer(rng, network[0], start_ms)
    job_producer = JobProducer(Random(f"{seed} jobs"), network)
    ignored_producer = IgnoredProducer(Random(f"{seed} ignored"), network)
    history = _History(rng)
    repeated, broken = mixture.repeated, mixture.broken
    of_jobs, passed_over = mixture.of_jobs, mixture.passed_over
    now = start_ms
    for left in range(mixture.events, 0, -1):
        draw = rng.random() * (left if history else left - repeated)
        to_repeat = repeated if history else 0
        if draw < broken:
            broken -= 1
            yield now, broken_producer.record(now)
        elif draw < broken + to_repeat:
            repeated -= 1
            yield now, history.draw()
        elif draw < broken + to_repeat + passed_over:
            passed_over -= 1
            yield now, ignored_producer.record(now)
        elif draw < broken + to_repeat + passed_over + of_jobs:
            of_jobs -= 1
            record = job_producer.record(now)
            history.add(record)
            yield now, record
        else:
            now, record = next(arrivals)
            history.add(record)
            yield now, record


def start_of(mixture: Mixture, end_ms: int) -> int:
    """Epoch ms when the first stream has to begin so that the last record arrives at ``end_ms``.

    Takes as long as the generation itself.
    """
    last = max((at for at, _ in timed(mixture)), default=START_MS)
    return START_MS + end_ms - last


def _arrivals(rng: Random, happening: Iterator[tuple[int, list[tuple[int, Event]]]]) -> Iterator[tuple[int, bytes]]:
    """(time of arrival in epoch ms, valid record) without end."""
    encode = msgspec.json.encode
    under_way: list[tuple[int, int, Event]] = []
    order = 0
    for moment, happened in happening:
        while under_way and under_way[0][0] <= moment:
            arrival, _, event = heappop(under_way)
            yield arrival, encode(event)
        for at, event in happened:
            delay = rng.randrange(_LATEST_MS if rng.random() < _LATE else _JITTER_MS)
            order += 1
            heappush(under_way, (at + delay, order, event))


@final
class _History:
    """Records to repeat: the latest, and a sample of older ones. Bounded."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._recent: list[bytes] = []
        self._older: list[bytes] = []
        self._next = 0

    def __bool__(self) -> bool:
        return bool(self._recent)

    def add(self, record: bytes) -> None:
        if len(self._recent) < _RECENT:
            self._recent.append(record)
            return
        evicted, self._recent[self._next] = self._recent[self._next], record
        self._next = (self._next + 1) % _RECENT
        if len(self._older) < _OLDER:
            self._older.append(evicted)
        elif self._rng.random() < _KEPT_AS_OLDER:
            self._older[self._rng.randrange(_OLDER)] = evicted

    def draw(self) -> bytes:
        long_after = self._older and self._rng.random() < _REPEATED_LONG_AFTER
        records = self._older if long_after else self._recent
        return records[self._rng.randrange(len(records))]
