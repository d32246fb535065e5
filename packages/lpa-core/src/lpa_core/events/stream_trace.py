"""``stream_trace``: one step in the life of a stream (docs/spec/events.md section 3.3)."""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address, NearTimestamp
from lpa_core.tables.table import Column, Kind

TABLE = typed_table(
    "stream_trace_events",
    Column("stream_id", Kind.TEXT, at="stream_id"),
    Column("request_id", Kind.TEXT, at="request_id"),
    Column("gateway", Kind.TEXT, at="$.gateway"),
    Column("orchestrator_address", Kind.TEXT, at="orchestrator_info.address", reads=Address),
    Column("orchestrator_url", Kind.TEXT, at="orchestrator_info.url"),
    Column("trace_type", Kind.LABEL, at="type"),
    Column("data_timestamp", Kind.TIMESTAMP, at="timestamp", otherwise="$.timestamp", reads=NearTimestamp),
    order_by=("request_id", "trace_type", "data_timestamp"),
)

EVENT_TYPE = EventType(
    "stream_trace",
    required=("id", "data.stream_id", "data.request_id", "data.type"),
    tables=(TABLE,),
)
