"""The event types of the live-AI network (spec/events.md section 3)."""

from __future__ import annotations

from typing import Final

from lpa_core.events import (
    ai_stream_events,
    ai_stream_status,
    create_new_payment,
    discovery_results,
    network_capabilities,
    stream_ingest_metrics,
    stream_trace,
)
from lpa_core.events.event_type import EventType

BUILTIN_EVENT_TYPES: Final[tuple[EventType, ...]] = (
    ai_stream_status.EVENT_TYPE,
    stream_ingest_metrics.EVENT_TYPE,
    stream_trace.EVENT_TYPE,
    network_capabilities.EVENT_TYPE,
    ai_stream_events.EVENT_TYPE,
    discovery_results.EVENT_TYPE,
    create_new_payment.EVENT_TYPE,
)
