"""``gpu_temperature``: how hot an orchestrator's GPU is."""

from typing import final

import attrs

from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import EventData, Float32, OrchestratorInfo, Text
from lpa_core.tables import Column, Kind, Table


@final
@attrs.frozen(slots=True)
class GpuTemperature(EventData):
    gpu_id: Text = ""
    celsius: Float32 = 0.0
    orchestrator_info: OrchestratorInfo = attrs.field(factory=OrchestratorInfo)


TABLE = typed_table(
    "gpu_temperature",
    Column("gpu_id", Kind.TEXT),
    Column("celsius", Kind.FLOAT32),
    Column("orchestrator_address", Kind.TEXT),
    order_by=("orchestrator_address", "gpu_id", "event_timestamp"),
)


def _shape(envelope: Envelope, data: GpuTemperature) -> tuple[tuple[Table, Row]]:
    row = (data.gpu_id, data.celsius, data.orchestrator_info.address.lower())
    return ((TABLE, row),)


EVENT_TYPE = EventType(
    name="gpu_temperature",
    model=GpuTemperature,
    required=("id", "data.gpu_id"),
    tables=(TABLE,),
    shape=_shape,
)
