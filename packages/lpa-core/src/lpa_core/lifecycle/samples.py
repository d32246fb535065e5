"""Status samples and trace edges: each has the identity of its segment.

Rules: docs/spec/lifecycle.md section 8, docs/spec/producers.md section 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar, final

from lpa_core.lifecycle.attribution_state import AttributionState
from lpa_core.lifecycle.capabilities import url_key
from lpa_core.lifecycle.facts import StatusSample, TraceEdge
from lpa_core.lifecycle.identity import Identity
from lpa_core.lifecycle.signals import Signal, TraceType

_CATEGORIES: Final = ("gateway_", "orchestrator_", "runner_", "app_")
"""Prefixes of trace types that are a category of their own (docs/spec/events.md section 3.3)."""

_SWAPPED = TraceType.SWAPPED.value

Row = TypeVar("Row", StatusSample, TraceEdge)


@final
class Rows(Generic[Row]):
    """Rows of a session, and the signals whose rows wait for their segment's first attribution.

    A row that waits is answered unattributed in the meantime, and again once it is settled.
    """

    __slots__ = ("_answered", "_make", "_session_id", "_settled", "_waiting")

    def __init__(self, make: Callable[[Signal, str, Identity | AttributionState], Row], session_id: str) -> None:
        """``make`` gets the segment's identity, or why the signal has none."""
        self._make: Callable[[Signal, str, Identity | AttributionState], Row] = make
        self._session_id = session_id
        self._settled: list[Row] = []
        self._waiting: list[tuple[Signal, AttributionState]] = []
        self._answered = 0
        """How many of those that wait have been taken already."""

    def add(self, signal: Signal, identity: Identity, *, inside: bool) -> None:
        """Make the row of ``signal``, which ``identity`` has taken in. ``inside``: whether a segment covers it."""
        if not inside or identity.is_elsewhere:
            self._settled.append(self._make(signal, self._session_id, identity.signal_state))
        elif identity.orchestrator_address:
            self._settled.append(self._make(signal, self._session_id, identity))
        else:
            self._waiting.append((signal, identity.signal_state))

    def settle(self, identity: Identity) -> None:
        """The segment that rows wait for has its first orchestrator. From now on none waits.

        A signal that named another URL than the orchestrator's stays unattributed.
        """
        for signal, state in self._waiting:
            is_its = url_key(signal.orchestrator_url) in ("", identity.own_url)
            self._settled.append(self._make(signal, self._session_id, identity if is_its else state))
        self._waiting = []

    def take(self) -> list[Row]:
        """What is new or newly settled since the last time."""
        taken, self._settled = self._settled, []
        taken += [self._make(signal, self._session_id, state) for signal, state in self._waiting[self._answered :]]
        self._answered = len(self._waiting)
        return taken


def status_sample(signal: Signal, session_id: str, identity: Identity | AttributionState) -> StatusSample:
    """The row of a status; unattributed for the reason given, unless that is an identity."""
    orchestrator, url, pipeline, model, gpu = _served_by(signal, identity)
    state, is_attributed = (identity.state, True) if isinstance(identity, Identity) else (identity, False)
    return StatusSample(
        signal.org,
        signal.signal_ts,
        session_id,
        signal.stream_id,
        signal.request_id,
        signal.gateway,
        orchestrator,
        url,
        pipeline,
        model,
        gpu,
        None,
        signal.state,
        signal.output_fps,
        signal.input_fps,
        int(is_attributed),
        "segment_window_join" if is_attributed else "none",
        1.0 if is_attributed else 0.0,
        *state,
        signal.source_event_uid,
    )


def trace_edge(signal: Signal, session_id: str, identity: Identity | AttributionState) -> TraceEdge:
    """The row of a trace; unattributed without an identity."""
    orchestrator, url, pipeline, model, _ = _served_by(signal, identity)
    trace_type = signal.trace_type
    return TraceEdge(
        signal.org,
        signal.signal_ts,
        session_id,
        signal.stream_id,
        signal.request_id,
        signal.gateway,
        orchestrator,
        url,
        pipeline,
        model,
        trace_type,
        trace_type.partition("_")[0] if trace_type.startswith(_CATEGORIES) else "other",
        int(trace_type == _SWAPPED),
        int(isinstance(identity, Identity)),
        signal.source_event_uid,
    )


def _served_by(signal: Signal, identity: Identity | AttributionState) -> tuple[str, str, str, str | None, str | None]:
    """Orchestrator's address and URL, pipeline, model and GPU."""
    if not isinstance(identity, Identity):
        return "", signal.orchestrator_url, "", None, None
    return (
        identity.orchestrator_address,
        identity.orchestrator_url,
        identity.shown_pipeline,
        identity.model_id or None,
        identity.gpu_id or None,
    )
