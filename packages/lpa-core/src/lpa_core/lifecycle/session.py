"""The life of a session in counts and times, and how its start came out (docs/spec/lifecycle.md section 4)."""

from __future__ import annotations

from typing import Final, final

from lpa_core.events.times import EARLIEST_EVENT_MS
from lpa_core.lifecycle.facts import SessionFact
from lpa_core.lifecycle.identity import Identity
from lpa_core.lifecycle.signals import Signal, SignalKind, TraceType

WORKFLOW_TYPE: Final = "ai_live_video_stream"

EXCUSABLE_ERRORS: Final = (
    "no orchestrators available",
    "mediamtx ingest disconnected",
    "whip disconnected",
    "missing video",
    "ice connection state failed",
    "user disconnected",
)
"""An error whose message contains one of these, in lower case, is not the network's fault (section 4.2)."""

_STATUS, _TRACE = SignalKind.STATUS, SignalKind.TRACE
_REQUESTED = TraceType.REQUESTED.value
_FIRST_PROCESSED = TraceType.FIRST_PROCESSED.value
_FIRST_PLAYABLE = TraceType.FIRST_PLAYABLE.value
_NO_ORCHESTRATORS = TraceType.NO_ORCHESTRATORS.value
_SWAPPED = TraceType.SWAPPED.value


@final
class Session:
    """What the signals applied so far, in event-time order, say of their session."""

    __slots__ = (
        "_confirmed_swaps",
        "_errors",
        "_excusable_errors",
        "_first_event_uid",
        "_last_event_uid",
        "_only_loading",
        "_only_zero_fps",
        "_saw_no_orchestrators",
        "_start",
        "_status_errors",
        "_statuses",
        "_told_swaps",
        "_unnamed",
        "_workflow_id",
        "end",
        "event_count",
        "first_playable_ts",
        "first_processed_ts",
        "first_stream_request_ts",
        "gateway",
        "org",
        "request_id",
        "session_id",
        "stream_id",
    )

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.org = ""
        self.stream_id = ""
        self.request_id = ""
        self.gateway = ""
        self.end = 0
        self.event_count = 0
        self.first_stream_request_ts: int | None = None
        self.first_processed_ts: int | None = None
        self.first_playable_ts: int | None = None
        self._unnamed: tuple[str, ...] = ("stream_id", "request_id", "gateway")
        self._workflow_id = ""
        self._start = 0
        self._confirmed_swaps = 0
        self._told_swaps = 0
        """By AI events, which count only if no trace tells any."""
        self._errors = 0
        self._excusable_errors = 0
        self._saw_no_orchestrators = False
        self._statuses = 0
        self._status_errors = 0
        self._only_loading = True
        self._only_zero_fps = True
        self._first_event_uid = ""
        self._last_event_uid = ""

    def apply(self, signal: Signal, identity: Identity) -> None:
        """Count ``signal``, whose identity has been applied."""
        time = signal.signal_ts
        self.event_count += 1
        if self.event_count == 1:
            self._start = time
            self.org = signal.org
            self._first_event_uid = signal.source_event_uid
            self._workflow_id = identity.pipeline or WORKFLOW_TYPE
        self.end = time
        self._last_event_uid = signal.source_event_uid
        for name in self._unnamed:
            self._name(name, getattr(signal, name))
        kind = signal.kind
        if kind is _STATUS:
            self._count_status(signal)
        elif kind is _TRACE:
            self._count_trace(signal.trace_type, time)
        else:
            self._count_ai_event(signal)

    def _name(self, name: str, text: str) -> None:
        """Keep the first text that is not blank."""
        if text and not text.isspace():
            setattr(self, name, text)
            self._unnamed = tuple(other for other in self._unnamed if other != name)

    def _count_status(self, signal: Signal) -> None:
        self._statuses += 1
        start = signal.start_time
        if start is not None and EARLIEST_EVENT_MS <= start < self._start:
            self._start = start
        if self._only_zero_fps and signal.output_fps > 0:
            self._only_zero_fps = False
        if self._only_loading and signal.state.lower() != "loading":
            self._only_loading = False
        error = signal.last_error
        if error and not error.isspace():
            self._status_errors += 1

    def _count_ai_event(self, signal: Signal) -> None:
        event_type = signal.ai_event_type.lower()
        if event_type == "error":
            self._errors += 1
            message = signal.message.lower()
            self._excusable_errors += any(text in message for text in EXCUSABLE_ERRORS)
        elif event_type == _SWAPPED:
            self._told_swaps += 1

    def _count_trace(self, trace_type: str, time: int) -> None:
        """Signals come in order of time, so the first edge of a kind is the earliest."""
        if trace_type == _REQUESTED:
            if self.first_stream_request_ts is None:
                self.first_stream_request_ts = time
        elif trace_type == _FIRST_PROCESSED:
            if self.first_processed_ts is None:
                self.first_processed_ts = time
        elif trace_type == _FIRST_PLAYABLE:
            if self.first_playable_ts is None:
                self.first_playable_ts = time
        elif trace_type == _NO_ORCHESTRATORS:
            self._saw_no_orchestrators = True
        elif trace_type == _SWAPPED:
            self._confirmed_swaps += 1

    def fact(self, identity: Identity) -> SessionFact:
        known = self.first_stream_request_ts is not None
        success = self.first_playable_ts is not None
        excused = self._saw_no_orchestrators or 0 < self._errors == self._excusable_errors
        swaps = self._confirmed_swaps or self._told_swaps
        health = (self._statuses > 0) + (self.first_processed_ts is not None) + success
        return SessionFact(
            org=self.org,
            workflow_session_id=self.session_id,
            workflow_type=WORKFLOW_TYPE,
            workflow_id=self._workflow_id,
            stream_id=self.stream_id,
            request_id=self.request_id,
            session_id="",
            pipeline=identity.pipeline,
            gateway=self.gateway,
            orchestrator_address=identity.orchestrator_address,
            orchestrator_url=identity.orchestrator_url,
            model_id=identity.model_id or None,
            gpu_id=identity.gpu_id or None,
            region=None,
            has_model_change=int(identity.has_model_change),
            has_pipeline_change=int(identity.has_pipeline_change),
            gpu_attribution_method=identity.method,
            gpu_attribution_confidence=identity.confidence,
            attribution_status=identity.state.status,
            attribution_reason=identity.state.reason,
            attribution_candidates=identity.state.candidates,
            session_start_ts=self._start,
            session_end_ts=self.end,
            known_stream=int(known),
            startup_success=int(success),
            startup_excused=int(known and not success and excused),
            startup_unexcused=int(known and not success and not excused),
            confirmed_swap_count=swaps,
            inferred_orchestrator_change_count=max(0, len(identity.orchestrators) - 1),
            swap_count=swaps,
            error_count=self._errors,
            excusable_error_count=self._excusable_errors,
            last_error_occurred=int(self._status_errors > 0),
            loading_only_session=int(self._statuses > 0 and self._only_loading),
            zero_output_fps_session=int(self._statuses > 0 and self._only_zero_fps),
            status_sample_count=self._statuses,
            status_error_sample_count=self._status_errors,
            health_signal_count=health,
            health_expected_signal_count=3 if known else 0,
            health_completeness_ratio=health / 3 if known else 1.0,
            first_stream_request_ts=self.first_stream_request_ts,
            first_processed_ts=self.first_processed_ts,
            first_playable_ts=self.first_playable_ts,
            event_count=self.event_count,
            source_first_event_uid=self._first_event_uid,
            source_last_event_uid=self._last_event_uid,
        )
