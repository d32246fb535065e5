"""``job_payment``: what a BYOC job costs, and the balance that pays for it (docs/spec/producers.md section 3)."""

from __future__ import annotations

from lpa_core.job_events.job_columns import byoc_columns
from lpa_core.plugin import Column, EventType, Kind, typed_table

TABLE = typed_table(
    "job_payment_events",
    *byoc_columns(
        {
            "elapsed_seconds": "payment_compute_charged",
            "min_balance": "payment_insufficient_balance",
            "diff": "payment_balance_sync",
            "with_tickets": "payment_created",
            "stream_id": "payment_stream_cycle",
        }
    ),
    Column("stream_id", Kind.TEXT, at="stream_id"),
    Column("sender", Kind.TEXT, at="sender", otherwise="sender_address"),
    Column("balance", Kind.TEXT, at="balance", otherwise="balance_after", note="wei, as sent"),
    Column("diff", Kind.TEXT, at="diff", note="wei, as sent"),
    Column("min_balance", Kind.TEXT, at="min_balance", note="wei, as sent"),
    Column("with_tickets", Kind.UINT8, nullable=True, at="with_tickets", note="1 or 0"),
    Column("on_error", Kind.UINT8, nullable=True, at="on_error", note="1 or 0"),
    Column("elapsed_seconds", Kind.INT64, nullable=True, at="elapsed_seconds"),
    Column("price_per_unit", Kind.INT64, nullable=True, at="price_per_unit", note="wei a second"),
    Column("total_charged", Kind.INT64, nullable=True, at="total_charged", note="wei, as sent"),
    order_by=("org", "capability", "request_id"),
)

EVENT_TYPE = EventType("job_payment", tables=(TABLE,), requires_object=True)
