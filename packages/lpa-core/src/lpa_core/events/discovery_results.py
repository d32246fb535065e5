"""``discovery_results``: orchestrators found, one row each (spec/events.md section 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import attrs

from lpa_core.events.coercion import address
from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import DigitsOrUInt32, Text
from lpa_core.tables import Column, Kind, Table


@final
@attrs.frozen(slots=True)
class Discovery:
    address: Text = ""
    url: Text = ""
    latency_ms: DigitsOrUInt32 = 0


TABLE = typed_table(
    "discovery_results",
    Column("orchestrator_address", Kind.TEXT),
    Column("orchestrator_url", Kind.TEXT),
    Column("latency_ms", Kind.UINT32),
    order_by=("orchestrator_address",),
)


def _shape(envelope: Envelope, data: list[Discovery]) -> Iterator[tuple[Table, Row]]:
    for item in data:
        yield TABLE, (address(item.address), item.url, int(item.latency_ms))


EVENT_TYPE = EventType(
    name="discovery_results",
    model=list[Discovery],
    required=("data",),
    tables=(TABLE,),
    shape=_shape,
    requires_items=True,
)
