"""``stream_heartbeat``: what pytrickle says of a stream every ten seconds (docs/spec/producers.md section 3)."""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address, NearTimestamp
from lpa_core.tables.table import Column, Kind

TABLE = typed_table(
    "stream_heartbeats",
    Column("stream_id", Kind.TEXT, at="stream_id"),
    Column("request_id", Kind.TEXT, at="request_id"),
    Column("orchestrator_address", Kind.TEXT, at="orchestrator_info.address", reads=Address),
    Column("orchestrator_url", Kind.TEXT, at="orchestrator_info.url"),
    Column("width", Kind.UINT16, at="dimensions.width"),
    Column("height", Kind.UINT16, at="dimensions.height"),
    Column("ingress_video_fps", Kind.FLOAT32, at="fps.ingress_video_fps"),
    Column("egress_video_fps", Kind.FLOAT32, at="fps.egress_video_fps"),
    Column("ingress_audio_fps", Kind.FLOAT32, at="fps.ingress_audio_fps"),
    Column("egress_audio_fps", Kind.FLOAT32, at="fps.egress_audio_fps"),
    Column("data_timestamp", Kind.TIMESTAMP, at="timestamp", otherwise="$.timestamp", reads=NearTimestamp),
    order_by=("org", "stream_id"),
)

EVENT_TYPE = EventType("stream_heartbeat", required=("data.stream_id",), tables=(TABLE,), requires_object=True)
