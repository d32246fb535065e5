"""``job_orchestrator``: a BYOC job as its orchestrator sees it (docs/spec/producers.md section 3)."""

from __future__ import annotations

from lpa_core.job_events.job_columns import byoc_columns
from lpa_core.plugin import Column, EventType, Kind, typed_table

TABLE = typed_table(
    "job_orchestrator_events",
    *byoc_columns(
        {
            "has_payment": "job_orchestrator_received",
            "http_status": "job_orchestrator_worker_result",
            "reason": "job_orchestrator_capacity_rejected",
        }
    ),
    Column("worker_url", Kind.TEXT, at="worker_url"),
    Column("reason", Kind.TEXT, at="reason"),
    Column("sender", Kind.TEXT, at="sender_address"),
    Column("http_status", Kind.UINT16, nullable=True, at="http_status", note="0: no answer"),
    Column("duration_ms", Kind.INT64, nullable=True, at="duration_ms", note="milliseconds"),
    Column("timeout_ms", Kind.INT64, nullable=True, at="timeout_ms", note="milliseconds"),
    Column("price_per_unit", Kind.INT64, nullable=True, at="price_per_unit", note="wei a second, for pixels_per_unit"),
    Column("pixels_per_unit", Kind.INT64, nullable=True, at="pixels_per_unit"),
    Column("charged_compute", Kind.UINT8, nullable=True, at="charged_compute", note="1 or 0"),
    Column("retryable", Kind.UINT8, nullable=True, at="retryable", note="1 or 0"),
    Column("has_payment", Kind.UINT8, nullable=True, at="has_payment", note="1 or 0"),
    order_by=("org", "request_id"),
)

EVENT_TYPE = EventType("job_orchestrator", required=("data.capability",), tables=(TABLE,), requires_object=True)
