"""``discovery_results``: orchestrators found, one row each (docs/spec/events.md section 3.6)."""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address, DigitsOrUInt32
from lpa_core.tables.table import Column, Kind

TABLE = typed_table(
    "discovery_results",
    Column("orchestrator_address", Kind.TEXT, at="address", reads=Address),
    Column("orchestrator_url", Kind.TEXT, at="url"),
    Column("latency_ms", Kind.UINT32, at="latency_ms", reads=DigitsOrUInt32),
    order_by=("orchestrator_address",),
)

EVENT_TYPE = EventType("discovery_results", required=("data",), tables=(TABLE,), requires_items=True)
