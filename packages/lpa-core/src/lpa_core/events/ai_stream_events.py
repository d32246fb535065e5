"""``ai_stream_events``: errors, parameter updates and other notices (spec/events.md section 3.5)."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import EventData, Text
from lpa_core.tables import Column, Kind, Table


@final
@attrs.frozen(slots=True)
class AiStreamEvent(EventData):
    stream_id: Text = ""
    request_id: Text = ""
    pipeline: Text = ""
    type: Text = ""
    message: Text = ""
    capability: Text = ""


TABLE = typed_table(
    "ai_stream_events",
    Column("stream_id", Kind.TEXT),
    Column("request_id", Kind.TEXT),
    Column("gateway", Kind.TEXT),
    Column("pipeline", Kind.TEXT),
    Column("event_type", Kind.LABEL),
    Column("message", Kind.TEXT),
    Column("capability", Kind.TEXT),
    order_by=("stream_id",),
)


def _shape(envelope: Envelope, data: AiStreamEvent) -> tuple[tuple[Table, Row]]:
    row = (
        data.stream_id,
        data.request_id,
        envelope.gateway,
        data.pipeline,
        data.type,
        data.message,
        data.capability,
    )
    return ((TABLE, row),)


EVENT_TYPE = EventType(
    name="ai_stream_events",
    model=AiStreamEvent,
    required=("data.stream_id", "data.request_id", "data.pipeline", "data.type"),
    tables=(TABLE,),
    shape=_shape,
)
