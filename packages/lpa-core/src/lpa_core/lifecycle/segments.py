"""The stretches of a session that one orchestrator served (docs/spec/lifecycle.md section 7)."""

from __future__ import annotations

from typing import final

from lpa_core.lifecycle.facts import SegmentFact
from lpa_core.lifecycle.identity import Identity
from lpa_core.lifecycle.session import Session
from lpa_core.lifecycle.signals import Signal, TraceType

_CLOSED = TraceType.CLOSED.value


@final
class Segments:
    """The current segment, which changes with every signal, and those before it, which no longer do."""

    __slots__ = ("_end", "_finished", "_index", "_reason", "_source_event_uid", "_source_trace_type", "_start")

    def __init__(self) -> None:
        self._index = -1
        self._start = 0
        self._end: int | None = None
        self._reason = "initial"
        self._source_trace_type = ""
        self._source_event_uid = ""
        self._finished: list[SegmentFact] = []

    def change(self, signal: Signal, session: Session, identity: Identity) -> None:
        """Close the current segment, whose ``identity`` this still is, and open the next with ``signal``."""
        self._end = signal.signal_ts
        self._reason = "orchestrator_change"
        self._name_source(signal)
        self._finished.append(self._fact(session, identity))
        self._index += 1
        self._start = signal.signal_ts
        self._end = None
        self._source_trace_type = ""

    def apply(self, signal: Signal) -> bool:
        """Take ``signal`` into the current segment. Returns whether its time lies inside: the closing edge does.

        A closing edge that opens a segment does not close it (section 7).
        """
        if self._index < 0:
            self._index = 0
            self._start = signal.signal_ts
        elif signal.trace_type == _CLOSED:
            self._end = signal.signal_ts
            self._reason = "stream_closed"
            self._name_source(signal)
            return True
        self._name_source(signal)
        return self._end is None or signal.signal_ts < self._end

    def _name_source(self, signal: Signal) -> None:
        self._source_event_uid = signal.source_event_uid or self._source_event_uid
        self._source_trace_type = signal.trace_type or self._source_trace_type

    def take(self, session: Session, identity: Identity) -> list[SegmentFact]:
        """The current segment, and those that were closed by an orchestrator change since the last time."""
        taken, self._finished = [*self._finished, self._fact(session, identity)], []
        return taken

    def _fact(self, session: Session, identity: Identity) -> SegmentFact:
        return SegmentFact(
            org=session.org,
            workflow_session_id=session.session_id,
            segment_index=self._index,
            segment_start_ts=self._start,
            segment_end_ts=self._end,
            gateway=session.gateway,
            pipeline=identity.first_pipeline,
            orchestrator_address=identity.orchestrator_address,
            orchestrator_url=identity.orchestrator_url,
            worker_id="",
            gpu_id=identity.gpu_id or None,
            model_id=identity.model_id or None,
            region=None,
            gpu_attribution_method=identity.method,
            gpu_attribution_confidence=identity.confidence,
            attribution_status=identity.state.status,
            attribution_reason=identity.state.reason,
            attribution_candidates=identity.state.candidates,
            reason=self._reason,
            source_trace_type=self._source_trace_type,
            source_event_uid=self._source_event_uid,
        )
