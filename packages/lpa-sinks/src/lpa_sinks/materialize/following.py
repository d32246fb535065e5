"""Derives in the process that ingests, range by range, and remembers over its end what is not derived from yet."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, final

import structlog

from lpa_core.lifecycle.rules import FoldRules
from lpa_core.sinks import StoredRange
from lpa_sinks.materialize.database import Database
from lpa_sinks.materialize.materializer import Materializer

_OPEN_SESSIONS: Final = 20_000
"""Sessions kept folded between ranges; each takes a few kilobytes."""

_log = structlog.get_logger("lpa.materialize")


@final
class Following:
    """The account of one process: which of its ranges are stored, and which are derived from.

    ``expect`` is called by the thread that writes, everything else by the one that derives; each has its own client.
    """

    def __init__(self, writing: Database, deriving: Database, *, exclusive: bool) -> None:
        """``writing`` is used by ``expect`` alone.

        ``exclusive``: nobody else writes into the database, so that what was folded can be kept.
        """
        self._writing, self._deriving, self._exclusive = writing, deriving, exclusive
        self._materializer: Materializer | None = None
        self._lock = threading.Lock()
        self._outstanding: set[StoredRange] = set()
        self._noted: dict[str, int] = {}
        """Topic -> the batch time that the database has for it."""

    def expect(self, stored: StoredRange) -> None:
        """Remember a range that is about to be written. Raises the client's errors."""
        with self._lock:
            self._outstanding.add(stored)
            if stored.batch_time < self._noted.get(stored.topic, stored.batch_time + 1):
                _note(self._writing, stored.topic, stored.batch_time)
                self._noted[stored.topic] = stored.batch_time

    def derive(self, stored: Sequence[StoredRange], rules: FoldRules) -> None:
        """Derive from these ranges; the first time, from what an earlier process left too.

        Raises the client's errors.
        """
        if self._materializer is None:
            kept = _OPEN_SESSIONS if self._exclusive else 0
            materializer = Materializer(self._deriving, rules, open_sessions=kept)
            self._catch_up(materializer)
            self._materializer = materializer
        if stored:
            self._materializer.update(stored, refresh=not self._exclusive)
            self._forward(stored)

    def _catch_up(self, materializer: Materializer) -> None:
        for topic, batch_time in zip(*self._deriving.query("underived.sql", 2), strict=True):
            with self._lock:
                if topic in self._noted and self._noted[topic] == batch_time:
                    continue  # noted by this process: its ranges will be given
            _log.info("deriving what an earlier process left", topic=topic)
            for _ in materializer.catch_up(topic, batch_time):
                pass
            with self._lock:
                if topic not in self._noted:
                    _note(self._deriving, topic, batch_time, is_derived=True)

    def _forward(self, stored: Sequence[StoredRange]) -> None:
        """Move what is noted of these ranges' topics forward, to the first range that is not derived from."""
        with self._lock:
            self._outstanding.difference_update(stored)
            newest = {each.topic: each.batch_time for each in sorted(stored)}
            for topic, batch_time in newest.items():
                left = [each.batch_time for each in self._outstanding if each.topic == topic]
                through = min([batch_time, *left])
                if through > self._noted[topic]:
                    _note(self._deriving, topic, through)
                    self._noted[topic] = through

    def close(self) -> None:
        """Note that everything is derived, where it is. Raises the client's errors."""
        with self._lock:
            unfinished = {each.topic for each in self._outstanding}
            for topic, batch_time in self._noted.items():
                if topic not in unfinished:
                    _note(self._deriving, topic, batch_time, is_derived=True)
            self._noted.clear()


def _note(database: Database, topic: str, batch_time: int, *, is_derived: bool = False) -> None:
    database.command("note_underived.sql", {"topic": topic, "batch_time": batch_time, "is_derived": int(is_derived)})
