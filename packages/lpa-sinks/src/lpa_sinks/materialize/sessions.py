"""Sessions that are being folded: kept between passes, so that a long one costs no more than its new signals."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import final

import attrs

from lpa_core.lifecycle.fold import SessionFold
from lpa_core.lifecycle.signals import Signal, order, session_id
from lpa_core.sinks.derived import Refold
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.materialize.facts import FoldedSession
from lpa_sinks.materialize.row_filter import SessionKey, SessionName, TimeSpan
from lpa_sinks.materialize.signals import Signals


@final
@attrs.define(slots=True, eq=False)
class OpenSession:
    """A fold, and what is known of the rows that went into it."""

    fold: SessionFold
    ingested: int = 0
    earliest: int = 1 << 62
    latest: int = -(1 << 62)
    _applied: dict[StoredRange, frozenset[int]] = attrs.field(factory=dict[StoredRange, frozenset[int]])
    """Ranges of ``_known_from`` or later, some of whose rows were applied -> their offsets."""
    _known_from: float = -math.inf
    """Batch time, epoch ms: what was applied of earlier ranges is forgotten."""
    _mismatches: int = 0
    """How many signals that name another wallet than those at their URL were taken."""

    def take(self) -> FoldedSession:
        """What changed since the last time; all there is, the first time."""
        mismatches = self.fold.url_wallet_mismatches - self._mismatches
        self._mismatches += mismatches
        return FoldedSession(self.fold.take(), self.ingested, TimeSpan(self.earliest, self.latest), mismatches)

    def apply(self, signals: Signals, known_from: float) -> int | Refold:
        """Fold in what is new of these signals, and return how many that is; else why all is to be folded again.

        A range may come once more, be it because its rows were read before its turn: what was applied of it is passed
        over.

        Args:
            known_from: batch time, epoch ms, from which on to remember that.
        """
        new: list[Signal] = []
        came: dict[StoredRange, frozenset[int]] = {}
        for range_, some in signals.ranges.items():
            came[range_] = offsets = frozenset(signal.offset for signal in some)
            applied = self._applied.get(range_, frozenset())
            if range_.batch_time < self._known_from or not applied <= offsets:
                return Refold.REPEATED
            new += (signal for signal in some if signal.offset not in applied) if applied else some
        new.sort(key=order)
        if not all(self.fold.apply(signal) for signal in new):
            return Refold.LATE
        self._known_from = max(self._known_from, known_from)
        self._applied = {
            range_: offsets
            for range_, offsets in (self._applied | came).items()
            if range_.batch_time >= self._known_from
        }
        self.ingested = max(self.ingested, signals.ingested)
        self.earliest, self.latest = min(self.earliest, signals.earliest), max(self.latest, signals.latest)
        return len(new)


@final
class OpenSessions:
    """The sessions that were touched last, up to a number. With 0 none is kept: each is folded again every time."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._sessions: OrderedDict[SessionName, OpenSession] = OrderedDict()

    def get(self, name: SessionName) -> OpenSession | None:
        session = self._sessions.get(name)
        if session is not None:
            self._sessions.move_to_end(name)
        return session

    def keep(self, name: SessionName, session: OpenSession) -> None:
        if not self._at_most:
            return
        self._sessions[name] = session
        self._sessions.move_to_end(name)
        while len(self._sessions) > self._at_most:
            self._sessions.popitem(last=False)

    def forget(self, key: SessionKey) -> None:
        """All sessions of the key."""
        names = [key.name] if key.has_ids else [name for name in self._sessions if _without_ids(name, key.org)]
        for name in names:
            self._sessions.pop(name, None)

    def clear(self) -> None:
        self._sessions.clear()


def _without_ids(name: SessionName, org: str) -> bool:
    without = session_id("", "", " ").removesuffix("_missing_event")
    return name.org == org and name.workflow_session_id.startswith(without)
