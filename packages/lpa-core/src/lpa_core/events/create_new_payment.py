"""``create_new_payment``: tickets that a gateway sends (docs/spec/events.md section 3.7)."""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.tables.table import Column, Kind

TABLE = typed_table(
    "payment_events",
    Column("request_id", Kind.TEXT, at="requestID"),
    Column("session_id", Kind.TEXT, at="sessionID"),
    Column("manifest_id", Kind.TEXT, at="manifestID"),
    Column("sender", Kind.TEXT, at="sender"),
    Column("recipient", Kind.TEXT, at="recipient"),
    Column("orchestrator", Kind.TEXT, at="orchestrator"),
    Column("face_value", Kind.TEXT, at="faceValue"),
    Column("price", Kind.TEXT, at="price"),
    Column("num_tickets", Kind.TEXT, at="numTickets"),
    Column("win_prob", Kind.TEXT, at="winProb"),
    Column("client_ip", Kind.TEXT, at="clientIP"),
    Column("capability", Kind.TEXT, at="capability"),
    order_by=("recipient", "orchestrator"),
)

EVENT_TYPE = EventType(
    "create_new_payment",
    required=(
        "data.sessionID",
        "data.manifestID",
        "data.sender",
        "data.recipient",
        "data.orchestrator",
        "data.faceValue",
        "data.numTickets",
        "data.price",
        "data.winProb",
    ),
    tables=(TABLE,),
)
