"""``gpu_temperature``: how hot an orchestrator's GPU is."""

from lpa_core.plugin import Address, Column, EventType, Kind, typed_table

TABLE = typed_table(
    "gpu_temperature",
    Column("gpu_id", Kind.TEXT, at="gpu_id"),
    Column("celsius", Kind.FLOAT32, at="celsius"),
    Column("orchestrator_address", Kind.TEXT, at="orchestrator_info.address", reads=Address),
    order_by=("orchestrator_address", "gpu_id", "event_timestamp"),
)

EVENT_TYPE = EventType("gpu_temperature", required=("id", "data.gpu_id"), tables=(TABLE,))
