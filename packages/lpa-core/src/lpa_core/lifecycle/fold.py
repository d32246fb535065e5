"""Signals and capabilities in, facts out: the one place where derived data is made.

Facts are a function of what is stored. Signals are folded in event-time order, so that the order in which they
arrived, and how often, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from lpa_core.lifecycle.attribution import AttributionPolicy, NearestSnapshot
from lpa_core.lifecycle.capabilities import CapabilityIndex
from lpa_core.lifecycle.coverage import Coverage
from lpa_core.lifecycle.facts import Facts
from lpa_core.lifecycle.identity import Identity
from lpa_core.lifecycle.latency import latency
from lpa_core.lifecycle.param_updates import ParamUpdates
from lpa_core.lifecycle.pipeline_model import DEFAULT_MODE, PipelineModelMode
from lpa_core.lifecycle.samples import Rows, status_sample, trace_edge
from lpa_core.lifecycle.segments import Segments
from lpa_core.lifecycle.session import Session
from lpa_core.lifecycle.signals import Signal, SignalKind, order

_STATUS, _TRACE = SignalKind.STATUS, SignalKind.TRACE


@final
class SessionFold:
    """One session of one org, signal by signal.

    What a signal costs does not grow with the session: only the rows that still wait for their segment's first
    attribution are kept. The object is its own checkpoint.
    """

    __slots__ = (
        "_at_last_time",
        "_changed",
        "_coverage",
        "_edges",
        "_identity",
        "_last",
        "_param_updates",
        "_samples",
        "_segments",
        "_session",
        "url_wallet_mismatches",
    )

    def __init__(
        self,
        session_id: str,
        capabilities: CapabilityIndex,
        policy: AttributionPolicy | None = None,
        mode: PipelineModelMode = DEFAULT_MODE,
    ) -> None:
        """``capabilities`` are those of the session's org. They may grow: a signal sees what is there in its turn."""
        self._session = Session(session_id)
        self._identity = Identity(capabilities, NearestSnapshot() if policy is None else policy, mode)
        self._segments = Segments()
        self._coverage = Coverage()
        self._samples = Rows(status_sample, session_id)
        self._edges = Rows(trace_edge, session_id)
        self._param_updates = ParamUpdates()
        self._changed = False
        self.url_wallet_mismatches = 0
        """Signals so far that were attributed by their URL and name a wallet that nobody at that URL has."""
        self._last: Signal | None = None
        self._at_last_time: set[tuple[SignalKind, str]] = set()
        """Signals of the last one's time, which a repetition must be known by."""

    @property
    def last(self) -> Signal | None:
        """The last signal in order that was applied."""
        return self._last

    def apply(self, signal: Signal) -> bool:
        """Fold ``signal`` in. False, and nothing done, where it belongs before the last one: fold all again then.

        A signal of the kind, uid and time of one before it counts once.
        """
        last, time = self._last, signal.signal_ts
        if last is not None and time <= last.signal_ts:
            if order(signal) < order(last):
                return False
            if not self._at_last_time:
                self._at_last_time.add((last.kind, last.source_event_uid))
            if (signal.kind, signal.source_event_uid) in self._at_last_time:
                return True
            self._at_last_time.add((signal.kind, signal.source_event_uid))
        elif self._at_last_time:
            self._at_last_time.clear()
        self._last = signal
        self._changed = True

        identity, session = self._identity, self._session
        attribution = identity.attribution(signal)
        if attribution is not None and attribution.names_another_wallet:
            self.url_wallet_mismatches += 1
        if identity.replaced_by(attribution):
            self._segments.change(signal, session, identity)
        had_none = not identity.orchestrator_address
        identity.apply(signal, attribution)
        session.apply(signal, identity)
        inside = self._segments.apply(signal)
        if had_none and identity.orchestrator_address:
            self._samples.settle(identity)
            self._edges.settle(identity)

        self._coverage.apply(signal, session, "" if identity.is_elsewhere else identity.orchestrator_address)
        if signal.kind is _STATUS:
            self._samples.add(signal, identity, inside=inside)
        elif signal.kind is _TRACE:
            self._edges.add(signal, identity, inside=inside)
        self._param_updates.apply(signal, session, identity)
        return True

    def take(self) -> Facts:
        """What changed since the last time: the session, its latency, segments, and rows that are new or settled now.

        A row that was answered before, unattributed, is answered again when its segment is attributed.
        """
        if not self._changed:
            return Facts()
        self._changed = False
        session = self._session.fact(self._identity)
        return Facts(
            session=session,
            latency=latency(session),
            segments=self._segments.take(self._session, self._identity),
            param_updates=self._param_updates.take(),
            coverage=self._coverage.take(),
            status_samples=self._samples.take(),
            trace_edges=self._edges.take(),
        )


def fold(
    session_id: str,
    signals: Iterable[Signal],
    capabilities: CapabilityIndex,
    policy: AttributionPolicy | None = None,
    mode: PipelineModelMode = DEFAULT_MODE,
) -> Facts:
    """All facts of the session, whatever the order of ``signals`` and no matter how often each is there.

    ``signals`` are those of one org, ``capabilities`` those of the same (docs/spec/producers.md section 2).
    """
    folding = SessionFold(session_id, capabilities, policy, mode)
    for signal in sorted(signals, key=order):
        folding.apply(signal)
    return folding.take()
