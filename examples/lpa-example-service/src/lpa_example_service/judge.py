"""Validates events and finds duplicates among those that were accepted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from lpa_core import BUILTIN_EVENT_TYPES, DedupStore, Ignored, KeyClaims, MemoryDedupStore, Pipeline, Verdict

DAY_MS: Final = 24 * 60 * 60 * 1000


def now_ms() -> int:
    """The time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Judge:
    """Judges events. Any thread may use it.

    Args:
        claims: remembers the keys of accepted events; in memory for a day by default.
        clock: gives the time of arrival in epoch milliseconds.
    """

    def __init__(self, claims: DedupStore | None = None, clock: Callable[[], int] = now_ms) -> None:
        self._pipeline = Pipeline(BUILTIN_EVENT_TYPES)
        self._claims = KeyClaims(MemoryDedupStore(DAY_MS) if claims is None else claims)
        self._clock = clock

    def judge(self, event: bytes) -> tuple[Verdict, bool]:
        """The verdict on an event, and whether an earlier event has its dedup key."""
        now = self._clock()
        verdict = self._pipeline.validate(event, now)
        if isinstance(verdict, Ignored) or verdict.dedup_key is None:
            return verdict, False
        return verdict, not self._claims.claim(verdict.dedup_key, now)
