"""``stream_stats``: what pytrickle says of a stream every twenty seconds (docs/spec/producers.md section 3).

Its ``timestamp`` is monotonic seconds, which no column could hold.
"""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address
from lpa_core.tables.table import Column, Kind

TABLE = typed_table(
    "stream_stats",
    Column("stream_id", Kind.TEXT, at="stream_id"),
    Column("request_id", Kind.TEXT, at="request_id"),
    Column("orchestrator_address", Kind.TEXT, at="orchestrator_info.address", reads=Address),
    Column("orchestrator_url", Kind.TEXT, at="orchestrator_info.url"),
    Column("running", Kind.UINT8, nullable=True, at="stream.running"),
    Column("width", Kind.UINT16, at="stream.width"),
    Column("height", Kind.UINT16, at="stream.height"),
    order_by=("org", "stream_id"),
)

EVENT_TYPE = EventType("stream_stats", tables=(TABLE,), requires_object=True)
