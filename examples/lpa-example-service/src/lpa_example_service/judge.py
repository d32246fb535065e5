"""Validates events and finds duplicates among those that were accepted."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from typing import Final

from lpa_core import BUILTIN_EVENT_TYPES, DedupStore, MemoryDedupStore, Pipeline, Position, Verdict

DAY_MS: Final = 24 * 60 * 60 * 1000


def now_ms() -> int:
    """The time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Judge:
    """Judges one event after the other. One thread at a time may use it: a dedup store allows no more.

    Args:
        claims: remembers the keys of accepted events; in memory for a day by default.
        clock: gives the time of arrival in epoch milliseconds.
    """

    def __init__(self, claims: DedupStore | None = None, clock: Callable[[], int] = now_ms) -> None:
        self._pipeline = Pipeline(BUILTIN_EVENT_TYPES)
        self._claims = MemoryDedupStore(DAY_MS) if claims is None else claims
        self._clock = clock
        # A key belongs to a position, and HTTP has none. The topic is new with each process: a number alone would
        # start again, and an event would be taken for the earlier one with its number.
        self._topic = f"http-{uuid.uuid4().hex}"
        self._numbers = itertools.count()

    def judge(self, event: bytes) -> tuple[Verdict, bool]:
        """The verdict on an event, and whether an earlier event has its dedup key."""
        now = self._clock()
        position = Position(self._topic, 0, next(self._numbers))
        verdict = self._pipeline.process(event, position, now)
        if verdict.dedup_key is None:
            return verdict, False
        (owner,) = self._claims.claim([verdict.dedup_key], self._topic, 0, [position.offset], now)
        return verdict, owner is not None
