"""Streams as records in order of arrival, with duplicates and broken ones between them."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import final

import msgspec

from lpa_core.generate.broken import BrokenProducer
from lpa_core.generate.jobs import JobProducer
from lpa_core.generate.network import Gateway, gateways
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
    start_ms: int = START_MS,
) -> Iterator[bytes]:
    """Records of live streams as producers send them, in order of arrival, without line ends.

    Args:
        events: records in all.
        duplicates: share of records that repeat an earlier valid one byte for byte;
            ``round(events * duplicates)`` of them.
        bad: share of records that are to be rejected, for each reason in turn;
            ``round(events * bad)`` of them.
        jobs: share of records of batch and BYOC jobs, tickets and heartbeats; ``round(events * jobs)`` of them.
        sessions: number of streams; fewer if there are not 24 valid events for each.
        seed: the same arguments give the same bytes.
        start_ms: epoch ms when the first stream begins.

    Raises:
        ValueError: a number is out of range.
    """
    repeated, broken = round(events * duplicates), round(events * bad)
    of_jobs = round(events * jobs)
    valid = events - repeated - broken - of_jobs
    if events < 0:
        raise ValueError(f"events is {events}: give 0 or more")
    if sessions < 1:
        raise ValueError(f"sessions is {sessions}: give 1 or more")
    shares = (
        f"duplicates {duplicates} and bad {bad}" if not jobs else f"duplicates {duplicates}, bad {bad}, jobs {jobs}"
    )
    if duplicates < 0 or bad < 0 or jobs < 0 or valid < 0:
        raise ValueError(f"{shares} are shares of all events: give 0 to 1, together at most 1")
    if repeated and not valid + of_jobs:
        raise ValueError(
            f"duplicates {duplicates} and bad {bad} leave no valid event to repeat: make one of them smaller"
        )
    return _mixed(valid, repeated, broken, of_jobs, sessions, seed, start_ms)


def _mixed(
    valid: int, repeated: int, broken: int, of_jobs: int, sessions: int, seed: int, start: int
) -> Iterator[bytes]:
    network = gateways(Random(_NETWORK_SEED))
    arrivals = _arrivals(Random(seed), network, start, valid, sessions)
    # A source of its own: the valid events stay the same whatever is mixed in.
    rng = Random(f"{seed} mixed")
    broken_producer = BrokenProducer(rng, network[0], start)
    job_producer = JobProducer(Random(f"{seed} jobs"), network)
    history = _History(rng)
    now = start
    for left in range(valid + repeated + broken + of_jobs, 0, -1):
        draw = rng.random() * (left if history else left - repeated)
        if draw < broken:
            broken -= 1
            yield broken_producer.record(now)
        elif history and draw < broken + repeated:
            repeated -= 1
            yield history.draw()
        elif of_jobs and draw < broken + of_jobs + (repeated if history else 0):
            of_jobs -= 1
            record = job_producer.record(now)
            history.add(record)
            yield record
        else:
            now, record = next(arrivals)
            history.add(record)
            yield record


def _arrivals(
    rng: Random, network: tuple[Gateway, ...], start: int, events: int, sessions: int
) -> Iterator[tuple[int, bytes]]:
    """(time of arrival in epoch ms, valid record) without end."""
    encode = msgspec.json.encode
    under_way: list[tuple[int, int, Event]] = []
    order = 0
    for moment, happened in streams(rng, network, start, events, sessions):
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
