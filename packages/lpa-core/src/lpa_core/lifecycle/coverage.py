"""Which edges of its session's start each signal has seen (docs/spec/lifecycle.md section 11)."""

from __future__ import annotations

from typing import final

from lpa_core.lifecycle.facts import EdgeCoverage
from lpa_core.lifecycle.session import Session
from lpa_core.lifecycle.signals import Signal, SignalKind, TraceType

_TRACE = SignalKind.TRACE
_CLOSED = TraceType.CLOSED.value


@final
class Coverage:
    """The edges seen so far, and a row for each signal."""

    __slots__ = ("_awaited", "_known", "_label", "_playable", "_processed", "_rows")

    def __init__(self) -> None:
        self._known = 0
        self._processed = 0
        self._playable = 0
        self._awaited = "missing_stream_request_edge"
        """Why a signal that does not end the session is not matched."""
        self._label = ""
        """The first pipeline text that any signal named: the label of a model."""
        self._rows: list[EdgeCoverage] = []

    def apply(self, signal: Signal, session: Session, orchestrator_address: str) -> None:
        """Make the row of ``signal``, which ``session`` has counted."""
        if not self._label and signal.pipeline and not signal.pipeline.isspace():
            self._label = signal.pipeline
        terminal, unmatched = 0, self._awaited
        if signal.kind is _TRACE:
            self._look_at(session)
            terminal = int(signal.trace_type == _CLOSED)
            # After the close nothing is awaited any more: it is missing.
            unmatched = self._awaited.replace("awaiting", "missing") if terminal else self._awaited
        known = self._known
        self._rows.append(
            EdgeCoverage(
                session.org,
                signal.signal_ts,
                session.session_id,
                session.stream_id,
                session.request_id,
                self._label,
                self._label or None,
                session.gateway,
                orchestrator_address,
                signal.trace_type,
                signal.source_event_uid,
                known,
                self._processed,
                self._playable,
                known & self._processed,
                known & self._playable,
                terminal,
                unmatched,
            )
        )

    def _look_at(self, session: Session) -> None:
        """Only a trace brings an edge."""
        self._known = int(session.first_stream_request_ts is not None)
        self._processed = int(session.first_processed_ts is not None)
        self._playable = int(session.first_playable_ts is not None)
        if self._known:
            if not self._processed:
                self._awaited = "awaiting_first_processed_segment_edge"
            else:
                self._awaited = "" if self._playable else "awaiting_playable_edge"

    def take(self) -> list[EdgeCoverage]:
        """The rows since the last time."""
        taken, self._rows = self._rows, []
        return taken
