"""Sessions that are being folded: kept between passes, so that a long one costs no more than its new signals."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import final

import attrs

from lpa_core.lifecycle.fold import SessionFold
from lpa_core.lifecycle.signals import Signal, SignalKind, order, session_id
from lpa_sinks.materialize.facts import FoldedSession
from lpa_sinks.materialize.rows import SessionKey, Span
from lpa_sinks.materialize.signals import Signals

_Origin = tuple[SignalKind, str, int]


@final
@attrs.define(slots=True, eq=False)
class OpenSession:
    """A fold, and what is known of the rows that went into it."""

    fold: SessionFold
    ingested: int = 0
    earliest: int = 1 << 62
    latest: int = -(1 << 62)
    _applied: dict[_Origin, int] = attrs.field(factory=dict[_Origin, int])
    """Typed table, topic and partition -> the highest offset that was applied."""

    def take(self) -> FoldedSession:
        """What changed since the last time; all there is, the first time."""
        return FoldedSession(self.fold.take(), self.ingested, Span(self.earliest, self.latest))

    def apply(self, signals: Signals) -> bool:
        """Fold the signals in; False where they cannot be added to what is folded: then it is to be folded anew.

        That is so where one is earlier than the last, and where one may have been applied already.
        """
        ordered = sorted(signals.found, key=order)
        if any(signal.offset <= self._applied.get(_origin(signal), -1) for signal in ordered):
            return False
        if not all(self.fold.apply(signal) for signal in ordered):
            return False
        self._note(ordered)
        self.ingested = max(self.ingested, signals.ingested)
        self.earliest, self.latest = min(self.earliest, signals.earliest), max(self.latest, signals.latest)
        return True

    def _note(self, signals: Sequence[Signal]) -> None:
        for signal in signals:
            origin = _origin(signal)
            self._applied[origin] = max(signal.offset, self._applied.get(origin, -1))


@final
class OpenSessions:
    """The sessions that were touched last, up to a number. With 0 none is kept: each is folded anew every time."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._sessions: OrderedDict[str, OpenSession] = OrderedDict()

    def get(self, name: str) -> OpenSession | None:
        session = self._sessions.get(name)
        if session is not None:
            self._sessions.move_to_end(name)
        return session

    def keep(self, name: str, session: OpenSession) -> None:
        if not self._at_most:
            return
        self._sessions[name] = session
        self._sessions.move_to_end(name)
        while len(self._sessions) > self._at_most:
            self._sessions.popitem(last=False)

    def forget(self, key: SessionKey) -> None:
        """All sessions of the key."""
        for name in [session_id(*key, "")] if any(key) else [name for name in self._sessions if _without_ids(name)]:
            self._sessions.pop(name, None)

    def clear(self) -> None:
        self._sessions.clear()


def _without_ids(name: str) -> bool:
    return name.startswith(session_id("", "", " ").removesuffix("_missing_event"))


def _origin(signal: Signal) -> _Origin:
    return signal.kind, signal.topic, signal.partition
