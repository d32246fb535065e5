"""``create_signed_ticket``: what a remote signer signs and bills (docs/spec/producers.md section 3)."""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address, NearTimestamp, PastTimestamp
from lpa_core.tables.table import Column, Kind

TABLE = typed_table(
    "signed_ticket_events",
    Column("session_id", Kind.TEXT, at="session_id"),
    Column("session_status", Kind.TEXT, at="session_status"),
    Column("app", Kind.TEXT, at="app"),
    Column("pipeline", Kind.TEXT, at="pipeline"),
    Column("model_id", Kind.TEXT, at="model_id"),
    Column("request_id", Kind.TEXT, at="request_id"),
    Column("manifest_id", Kind.TEXT, at="manifest_id"),
    Column("auth_id", Kind.TEXT, at="auth_id"),
    Column("orchestrator_address", Kind.TEXT, at="orch_address", reads=Address),
    Column("orchestrator_url", Kind.TEXT, at="orch_url"),
    Column("signed_at", Kind.TIMESTAMP, nullable=True, at="current_time_unix", reads=NearTimestamp),
    Column("previous_at", Kind.TIMESTAMP, nullable=True, at="previous_time_unix", reads=PastTimestamp),
    Column("billable_secs", Kind.FLOAT64, nullable=True, at="billable_secs"),
    Column("pixels", Kind.UINT64, nullable=True, at="pixels"),
    Column("sequence_number", Kind.UINT64, nullable=True, at="sequence_number"),
    Column("num_tickets", Kind.UINT64, nullable=True, at="num_tickets"),
    Column("computed_fee", Kind.TEXT, at="computed_fee"),
    Column("session_balance", Kind.TEXT, at="session_balance"),
    Column("unit_cost", Kind.TEXT, at="cost", otherwise="cost_per_pixel"),
    order_by=("org", "auth_id", "session_id"),
)

EVENT_TYPE = EventType(
    "create_signed_ticket",
    required=("data.session_id", "data.computed_fee"),
    tables=(TABLE,),
    requires_object=True,
)
