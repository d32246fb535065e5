"""``worker_lifecycle``: a worker that came, went, or had no room (docs/spec/producers.md section 3)."""

from __future__ import annotations

from lpa_core.job_events.job_columns import byoc_columns
from lpa_core.plugin import Column, EventType, Kind, typed_table

TABLE = typed_table(
    "worker_lifecycle_events",
    *byoc_columns(
        {
            "price_per_unit": "worker_registered",
            "options_filter": "worker_capacity_exhausted",
            "reason": "worker_unregistered",
        }
    ),
    Column("event_uuid", Kind.TEXT, at="id", note="the same in each repeat of an event"),
    Column("worker_url", Kind.TEXT, at="worker_url"),
    Column("reason", Kind.TEXT, at="reason"),
    Column("price_per_unit", Kind.INT64, nullable=True, at="price_per_unit", note="for price_scaling; no currency"),
    Column("price_scaling", Kind.INT64, nullable=True, at="price_scaling"),
    Column("models", Kind.TEXT, at="worker_options[].model", note="each once, joined by commas"),
    order_by=("org", "capability", "orchestrator_address"),
)

# A gateway that asks an orchestrator again gets the same events, and sends them under ids of its own.
EVENT_TYPE = EventType(
    "worker_lifecycle", required=("data.capability",), tables=(TABLE,), requires_object=True, key_at="id"
)
