"""Sessions to fold: their signals told one by one, and what a database holds after a fold in steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

from msgspec.structs import replace

from lpa_core.lifecycle.facts import Facts
from lpa_core.lifecycle.fold import SessionFold
from lpa_core.lifecycle.signals import Signal, SignalKind, order


@final
class Story:
    """The signals of one session in the order of their telling, which is that of their offsets. Times are epoch ms."""

    def __init__(self, stream_id: str = "stream", request_id: str = "request", gateway: str = "gateway") -> None:
        self._same = {"stream_id": stream_id, "request_id": request_id, "gateway": gateway, "topic": "events"}
        self.signals: list[Signal] = []

    def status(self, time: int, state: str = "ONLINE", output_fps: float = 15.5, **values: Any) -> Signal:
        return self._tell(SignalKind.STATUS, time, state=state, output_fps=output_fps, **values)

    def trace(self, time: int, trace_type: str, orchestrator_address: str = "", **values: Any) -> Signal:
        return self._tell(
            SignalKind.TRACE, time, trace_type=trace_type, orchestrator_address=orchestrator_address, **values
        )

    def ai_event(self, time: int, ai_event_type: str, message: str = "", **values: Any) -> Signal:
        return self._tell(SignalKind.AI_EVENT, time, ai_event_type=ai_event_type, message=message, **values)

    def _tell(self, kind: SignalKind, time: int, **values: Any) -> Signal:
        offset = len(self.signals)
        rest = {"offset": offset, "source_event_uid": f"uid-{offset}", **self._same, **values}
        signal = Signal(kind=kind, signal_ts=time, event_timestamp=time, **rest)
        self.signals.append(signal)
        return signal


def fold_in_steps(folding: SessionFold, steps: Iterable[Iterable[Signal]]) -> Facts:
    """Fold ``steps`` one after the other, and put together what was taken after each, new rows replacing old ones.

    Each step is put in order; a signal of an earlier time than those of the steps before fails the test.
    """
    kept: dict[str, dict[Any, Any]] = {name: {} for name in _KEYS}
    latest = Facts()
    for step in steps:
        for signal in sorted(step, key=order):
            assert folding.apply(signal), f"{signal.source_event_uid} is older than what was folded"
        taken = folding.take()
        latest = latest if taken.session is None else taken
        for name, key in _KEYS.items():
            kept[name] |= {tuple(getattr(row, part) for part in key): row for row in getattr(taken, name)}
    return replace(latest, **{name: list(rows.values()) for name, rows in kept.items()})


_KEYS = {
    "segments": ("segment_index",),
    "param_updates": ("source_event_uid", "update_ts"),
    "coverage": ("source_event_uid", "signal_ts"),
    "status_samples": ("source_event_uid", "sample_ts"),
    "trace_edges": ("source_event_uid", "edge_ts"),
}
"""The columns by which a row of a session replaces the one before."""
