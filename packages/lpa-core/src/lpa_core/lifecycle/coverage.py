"""Which edges of its session's start a signal has seen (spec/lifecycle.md section 11)."""

from __future__ import annotations

from lpa_core.lifecycle.facts import EdgeCoverage
from lpa_core.lifecycle.session import Session
from lpa_core.lifecycle.signals import Signal, TraceType

_CLOSED = TraceType.CLOSED.value


def coverage(signal: Signal, session: Session, label: str, orchestrator_address: str) -> EdgeCoverage:
    """The row of ``signal``, which ``session`` has counted.

    ``label`` is the first pipeline text that any signal so far has named: the label of a model.
    """
    known = session.first_stream_request_ts is not None
    processed = session.first_processed_ts is not None
    playable = session.first_playable_ts is not None
    terminal = signal.trace_type == _CLOSED
    return EdgeCoverage(
        session.org,
        signal.signal_ts,
        session.session_id,
        session.stream_id,
        session.request_id,
        label,
        label or None,
        session.gateway,
        orchestrator_address,
        signal.trace_type,
        signal.source_event_uid,
        int(known),
        int(processed),
        int(playable),
        int(known and processed),
        int(known and playable),
        int(terminal),
        "" if known and processed and playable else _unmatched(known, processed, terminal),
    )


def _unmatched(known: bool, processed: bool, terminal: bool) -> str:
    """Why the edges are not complete, when they are not."""
    if not known:
        return "missing_stream_request_edge"
    if terminal:
        return "missing_playable_edge" if processed else "missing_first_processed_segment_edge"
    return "awaiting_playable_edge" if processed else "awaiting_first_processed_segment_edge"
