"""``job_auth``: whether the sender of a BYOC job was let in (docs/spec/producers.md section 3)."""

from __future__ import annotations

from lpa_core.job_events.job_columns import byoc_columns
from lpa_core.plugin import Column, EventType, Kind, typed_table

TABLE = typed_table(
    "job_auth_events",
    *byoc_columns(
        {"stream_name": "job_auth_webhook_result", "sender": "job_credential_verify_result"},
        capability_otherwise="pipeline",
    ),
    Column("sender", Kind.TEXT, at="sender"),
    Column("worker_url", Kind.TEXT, at="worker_url"),
    Column("stream_id", Kind.TEXT, at="stream_id"),
    Column("stream_name", Kind.TEXT, at="stream_name"),
    order_by=("org", "capability"),
)

EVENT_TYPE = EventType("job_auth", tables=(TABLE,), requires_object=True)
