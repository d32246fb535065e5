"""``job_gateway``: a BYOC job as its gateway sees it, an event for each attempt.

Rules: docs/spec/producers.md section 3.
"""

from __future__ import annotations

from lpa_core.job_events.job_columns import byoc_columns
from lpa_core.plugin import Column, EventType, Kind, model, typed_table

TABLE = typed_table(
    "job_gateway_events",
    *byoc_columns(),
    Column("attempt_index", Kind.INT32, nullable=True, at="attempt_index", note="0 for the first"),
    Column("selected", Kind.INT32, nullable=True, at="selected"),
    Column("duration_ms", Kind.INT64, nullable=True, at="duration_ms", note="milliseconds"),
    Column("latency_ms", Kind.INT64, nullable=True, at="latency_ms", note="milliseconds"),
    Column("available_capacity", Kind.INT64, nullable=True, at="available_capacity"),
    Column("completed_at", Kind.TIMESTAMP, nullable=True, at="completed_at", reads=model.PastTimestamp),
    Column("http_status", Kind.UINT16, nullable=True, at="http_status"),
    Column("streaming", Kind.UINT8, nullable=True, at="streaming", note="1 or 0"),
    Column("orch_url", Kind.TEXT, at="orch_url"),
    order_by=("org", "request_id"),
)

EVENT_TYPE = EventType("job_gateway", required=("data.type", "data.capability"), tables=(TABLE,), requires_object=True)
