"""What a session is made of: a signal for each status, trace and AI event (docs/spec/lifecycle.md section 2)."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import final

import msgspec

from lpa_core.events.coercion import blank
from lpa_core.events.times import near


class SignalKind(IntEnum):
    """The typed table that a signal is a row of."""

    STATUS = 0
    """``ai_stream_status``"""
    TRACE = 1
    """``stream_trace_events``"""
    AI_EVENT = 2
    """``ai_stream_events``"""


class TraceType(StrEnum):
    """The trace types that mean something to a session; others only count (docs/spec/events.md section 3.3)."""

    REQUESTED = "gateway_receive_stream_request"
    FIRST_PROCESSED = "gateway_receive_first_processed_segment"
    FIRST_PLAYABLE = "gateway_receive_few_processed_segments"
    CLOSED = "gateway_ingest_stream_closed"
    NO_ORCHESTRATORS = "gateway_no_orchestrators_available"
    SWAPPED = "orchestrator_swap"


@final
class Signal(msgspec.Struct, frozen=True, gc=False):
    """One row of a typed table, as the fold sees it. Times are epoch ms; what a kind does not have stays empty.

    Millions are made, fastest by ``map(Signal, *columns)``: a struct that the garbage collector passes over.
    """

    kind: SignalKind
    signal_ts: int
    """The event's own time: see ``edge_time`` for a trace."""
    event_timestamp: int
    topic: str = ""
    partition: int = 0
    offset: int = 0
    org: str = ""
    stream_id: str = ""
    request_id: str = ""
    gateway: str = ""
    pipeline: str = ""
    """``data.pipeline``, which producers fill with the label of a model."""
    orchestrator_address: str = ""
    """Often that of a proxy (hot) wallet."""
    orchestrator_url: str = ""
    state: str = ""
    output_fps: float = 0.0
    input_fps: float = 0.0
    last_error: str | None = None
    start_time: int | None = None
    trace_type: str = ""
    ai_event_type: str = ""
    message: str = ""
    source_event_uid: str = ""


order = attrgetter("signal_ts", "topic", "partition", "offset", "kind", "source_event_uid")
"""The order that signals are folded in: event time, then position.

Kind and uid decide only where two rows claim one position, as those of a file that was replaced do.
"""


def edge_time(data_timestamp: int | None, event_timestamp: int) -> int:
    """The time of a trace: its own, unless it has none that is believed (docs/spec/events.md section 3.3)."""
    if data_timestamp is None or data_timestamp <= 0:
        return event_timestamp
    return data_timestamp if near(data_timestamp, event_timestamp) else event_timestamp


def session_id(stream_id: str, request_id: str, event_uid: str) -> str:
    """The session that an event belongs to (docs/spec/lifecycle.md section 1). ``event_uid`` is ``raw_event_uid``.

    Outer spaces do not count, and no other white space does: databases trim in the same way.
    """
    stream, request = stream_id.strip(" "), request_id.strip(" ")
    if stream or request:
        return f"{stream or '_missing_stream'}|{request or '_missing_request'}"
    return f"_missing_stream|_missing_request|{event_uid.strip(' ') or '_missing_event'}"


def first_non_blank(*texts: str | None) -> str:
    """The first text that is not blank, untrimmed; empty if all are (docs/spec/events.md section 2)."""
    for text in texts:
        if text and not blank(text):
            return text
    return ""
