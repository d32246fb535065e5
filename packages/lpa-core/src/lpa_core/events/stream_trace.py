"""``stream_trace``: one step in the life of a stream (spec/events.md section 3.3)."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.events.coercion import address
from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import EventData, NearTimestamp, OrchestratorInfo, Text
from lpa_core.tables import Column, Kind, Table


@final
@attrs.frozen(slots=True)
class StreamTrace(EventData):
    stream_id: Text = ""
    request_id: Text = ""
    type: Text = ""
    timestamp: NearTimestamp = None
    orchestrator_info: OrchestratorInfo | None = None


TABLE = typed_table(
    "stream_trace_events",
    Column("stream_id", Kind.TEXT),
    Column("request_id", Kind.TEXT),
    Column("gateway", Kind.TEXT),
    Column("orchestrator_address", Kind.TEXT),
    Column("orchestrator_url", Kind.TEXT),
    Column("trace_type", Kind.LABEL),
    Column("data_timestamp", Kind.TIMESTAMP),
    order_by=("request_id", "trace_type", "data_timestamp"),
)

_NO_ORCHESTRATOR = OrchestratorInfo()


def _shape(envelope: Envelope, data: StreamTrace) -> tuple[tuple[Table, Row]]:
    orchestrator = data.orchestrator_info or _NO_ORCHESTRATOR
    row = (
        data.stream_id,
        data.request_id,
        envelope.gateway,
        address(orchestrator.address),
        orchestrator.url,
        data.type,
        envelope.timestamp if data.timestamp is None else data.timestamp,
    )
    return ((TABLE, row),)


EVENT_TYPE = EventType(
    name="stream_trace",
    model=StreamTrace,
    required=("id", "data.stream_id", "data.request_id", "data.type"),
    tables=(TABLE,),
    shape=_shape,
)
