"""``create_new_payment``: tickets that a gateway sends (spec/events.md section 3.7)."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import EventData, Text
from lpa_core.tables import Column, Kind, Table


@final
@attrs.frozen(slots=True)
class Payment(EventData):
    sessionID: Text = ""
    manifestID: Text = ""
    sender: Text = ""
    recipient: Text = ""
    orchestrator: Text = ""
    faceValue: Text = ""
    numTickets: Text = ""
    price: Text = ""
    winProb: Text = ""
    requestID: Text = ""
    clientIP: Text = ""
    capability: Text = ""


TABLE = typed_table(
    "payment_events",
    Column("request_id", Kind.TEXT),
    Column("session_id", Kind.TEXT),
    Column("manifest_id", Kind.TEXT),
    Column("sender", Kind.TEXT),
    Column("recipient", Kind.TEXT),
    Column("orchestrator", Kind.TEXT),
    Column("face_value", Kind.TEXT),
    Column("price", Kind.TEXT),
    Column("num_tickets", Kind.TEXT),
    Column("win_prob", Kind.TEXT),
    Column("client_ip", Kind.TEXT),
    Column("capability", Kind.TEXT),
    order_by=("recipient", "orchestrator"),
)


def _shape(envelope: Envelope, data: Payment) -> tuple[tuple[Table, Row]]:
    row = (
        data.requestID,
        data.sessionID,
        data.manifestID,
        data.sender,
        data.recipient,
        data.orchestrator,
        data.faceValue,
        data.price,
        data.numTickets,
        data.winProb,
        data.clientIP,
        data.capability,
    )
    return ((TABLE, row),)


EVENT_TYPE = EventType(
    name="create_new_payment",
    model=Payment,
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
    shape=_shape,
)
