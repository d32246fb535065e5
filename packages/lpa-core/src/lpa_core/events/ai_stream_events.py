"""``ai_stream_events``: errors, parameter updates and other notices.

Rules: docs/spec/events.md section 3.5, docs/spec/producers.md section 3.
"""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address
from lpa_core.tables.table import Column, Kind

TABLE = typed_table(
    "ai_stream_events",
    Column("stream_id", Kind.TEXT, at="stream_id"),
    Column("request_id", Kind.TEXT, at="request_id"),
    Column("gateway", Kind.TEXT, at="$.gateway"),
    Column("pipeline", Kind.TEXT, at="pipeline"),
    Column("event_type", Kind.LABEL, at="type"),
    Column("message", Kind.TEXT, at="message"),
    Column("capability", Kind.TEXT, at="capability"),
    Column("orchestrator_address", Kind.TEXT, at="orchestrator_info.address", reads=Address),
    Column("orchestrator_url", Kind.TEXT, at="orchestrator_info.url"),
    Column("error_type", Kind.LABEL, at="error_type"),
    order_by=("stream_id",),
)

EVENT_TYPE = EventType(
    "ai_stream_events",
    required=("data.stream_id", "data.request_id", "data.type"),
    tables=(TABLE,),
)
