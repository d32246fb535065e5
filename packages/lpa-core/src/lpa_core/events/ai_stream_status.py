"""``ai_stream_status``: the state of a running stream, every few seconds (docs/spec/events.md section 3.1)."""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address, PastTimestamp
from lpa_core.tables.table import Column, Kind

TABLE = typed_table(
    "ai_stream_status",
    Column("stream_id", Kind.TEXT, at="stream_id"),
    Column("request_id", Kind.TEXT, at="request_id"),
    Column("gateway", Kind.TEXT, at="$.gateway"),
    Column("orchestrator_address", Kind.TEXT, at="orchestrator_info.address", reads=Address),
    Column("orchestrator_url", Kind.TEXT, at="orchestrator_info.url"),
    Column("pipeline", Kind.LABEL, at="pipeline"),
    Column("output_fps", Kind.FLOAT32, at="inference_status.fps"),
    Column("input_fps", Kind.FLOAT32, at="input_status.fps"),
    Column("state", Kind.LABEL, at="state"),
    Column("restart_count", Kind.UINT32, at="inference_status.restart_count"),
    Column("last_error", Kind.TEXT, nullable=True, at="inference_status.last_error"),
    Column(
        "last_error_time",
        Kind.TIMESTAMP,
        nullable=True,
        at="inference_status.last_error_time",
        reads=PastTimestamp,
    ),
    Column("prompt_text", Kind.TEXT, nullable=True, at="inference_status.last_params.prompt"),
    Column("prompt_width", Kind.UINT16, at="inference_status.last_params.width"),
    Column("prompt_height", Kind.UINT16, at="inference_status.last_params.height"),
    Column("params_hash", Kind.TEXT, at="inference_status.last_params_hash"),
    Column("start_time", Kind.TIMESTAMP, nullable=True, at="start_time", reads=PastTimestamp),
    order_by=("orchestrator_address", "pipeline", "stream_id"),
)

EVENT_TYPE = EventType(
    "ai_stream_status",
    required=("data.stream_id", "data.request_id", "data.pipeline"),
    tables=(TABLE,),
)
