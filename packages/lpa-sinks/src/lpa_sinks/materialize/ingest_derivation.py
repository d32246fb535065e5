"""Derives in the process that ingests, range by range, and remembers over its end what is not derived from yet."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Final, final

import structlog

from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.materializer import Materializer

_OPEN_SESSIONS: Final = 20_000
"""Sessions kept folded between ranges; each takes a few kilobytes."""

_log = structlog.get_logger("lpa.materialize")


@final
class IngestDerivation:
    """The account of one process: which of its ranges are stored, and which are derived from.

    ``expect`` is called by the thread that writes, everything else by the one that derives; each has its own client.
    """

    def __init__(self, writing: FactDatabase, deriving: FactDatabase, *, exclusive: bool) -> None:
        """``writing`` is used by ``expect`` alone.

        ``exclusive``: nobody else writes into the database: what was folded can be kept, and whatever was left undone
        was left by a process that has ended.
        """
        self._writing, self._deriving, self._exclusive = writing, deriving, exclusive
        self._materializer: Materializer | None = None
        self._lock = threading.Lock()
        self._outstanding: set[StoredRange] = set()
        self._noted: dict[str, int] = {}
        """Topic -> the batch time that the database has for it."""
        self._left: dict[str, int] | None = None
        """The same from an earlier process, without what is derived by now; None before the first look."""

    def expect(self, stored: StoredRange) -> None:
        """Remember a range that is about to be written. Raises the client's errors."""
        with self._lock:
            self._look(self._writing)
            self._outstanding.add(stored)
            if stored.batch_time < self._noted.get(stored.topic, stored.batch_time + 1):
                _note(self._writing, stored.topic, stored.batch_time)
                self._noted[stored.topic] = stored.batch_time

    def derive(self, stored: Sequence[StoredRange], rules: FoldRules) -> Derived:
        """Derive from these ranges; before, from what an earlier process left. Raises the client's errors."""
        with self._lock:
            left = self._look(self._deriving)
        if self._materializer is None:
            kept = _OPEN_SESSIONS if self._exclusive else 0
            self._materializer = Materializer(self._deriving, rules, open_sessions=kept)
        topics = set(left) if self._exclusive else {each.topic for each in stored} & set(left)
        done = Derived()
        self._catch_up(self._materializer, topics, done)
        if stored:
            done.add(self._materializer.update(stored, refresh=not self._exclusive))
            self._forward(stored)
        return done

    def _look(self, database: FactDatabase) -> dict[str, int]:
        """What an earlier process left, read before this one notes anything."""
        if self._left is None:
            self._left = dict(zip(*database.query("underived.sql", 2), strict=True))
            self._noted = dict(self._left)
        return self._left

    def _catch_up(self, materializer: Materializer, topics: Iterable[str], done: Derived) -> None:
        assert self._left is not None
        for topic in sorted(topics):
            _log.info("deriving what an earlier process left", topic=topic)
            for some in materializer.catch_up(topic, self._left[topic]):
                done.add(some)
            with self._lock:
                del self._left[topic]
                if not self._unfinished(topic):
                    _note(self._deriving, topic, self._noted.pop(topic), is_derived=True)

    def _forward(self, stored: Sequence[StoredRange]) -> None:
        """Move what is noted of these ranges' topics forward, to the first range that is not derived from."""
        with self._lock:
            self._outstanding.difference_update(stored)
            newest = {each.topic: each.batch_time for each in sorted(stored)}
            for topic, batch_time in newest.items():
                through = min([batch_time, *self._unfinished(topic)])
                if through > self._noted[topic]:
                    _note(self._deriving, topic, through)
                    self._noted[topic] = through

    def _unfinished(self, topic: str) -> list[int]:
        """Batch times of the topic's ranges that are not derived from."""
        return [each.batch_time for each in self._outstanding if each.topic == topic]

    def close(self) -> None:
        """Note that everything is derived, where it is, and finish what passes began. Raises the client's errors."""
        with self._lock:
            for topic, batch_time in self._noted.items():
                if topic not in (self._left or ()) and not self._unfinished(topic):
                    _note(self._deriving, topic, batch_time, is_derived=True)
            self._noted.clear()
        if self._materializer is not None:
            self._materializer.finish()


def _note(database: FactDatabase, topic: str, batch_time: int, *, is_derived: bool = False) -> None:
    database.command("note_underived.sql", {"topic": topic, "batch_time": batch_time, "is_derived": int(is_derived)})
