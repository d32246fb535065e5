"""``ai_stream_status``: the state of a running stream, every few seconds (spec/events.md section 3.1)."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.events.coercion import address
from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import (
    EventData,
    Float32,
    NullableText,
    OrchestratorInfo,
    PastTimestamp,
    Text,
    UInt16,
    UInt32,
)
from lpa_core.tables import Column, Kind, Table


@final
@attrs.frozen(slots=True)
class LastParams:
    prompt: NullableText = None
    width: UInt16 = 0
    height: UInt16 = 0


@final
@attrs.frozen(slots=True)
class InferenceStatus:
    fps: Float32 = 0.0
    restart_count: UInt32 = 0
    last_error: NullableText = None
    last_error_time: PastTimestamp = None
    last_params_hash: Text = ""
    last_params: LastParams | None = None


@final
@attrs.frozen(slots=True)
class InputStatus:
    fps: Float32 = 0.0


@final
@attrs.frozen(slots=True)
class AiStreamStatus(EventData):
    stream_id: Text = ""
    request_id: Text = ""
    pipeline: Text = ""
    state: Text = ""
    start_time: PastTimestamp = None
    orchestrator_info: OrchestratorInfo | None = None
    inference_status: InferenceStatus | None = None
    input_status: InputStatus | None = None


TABLE = typed_table(
    "ai_stream_status",
    Column("stream_id", Kind.TEXT),
    Column("request_id", Kind.TEXT),
    Column("gateway", Kind.TEXT),
    Column("orchestrator_address", Kind.TEXT),
    Column("orchestrator_url", Kind.TEXT),
    Column("pipeline", Kind.LABEL),
    Column("output_fps", Kind.FLOAT32),
    Column("input_fps", Kind.FLOAT32),
    Column("state", Kind.LABEL),
    Column("restart_count", Kind.UINT32),
    Column("last_error", Kind.TEXT, nullable=True),
    Column("last_error_time", Kind.TIMESTAMP, nullable=True),
    Column("prompt_text", Kind.TEXT, nullable=True),
    Column("prompt_width", Kind.UINT16),
    Column("prompt_height", Kind.UINT16),
    Column("params_hash", Kind.TEXT),
    Column("start_time", Kind.TIMESTAMP, nullable=True),
    order_by=("orchestrator_address", "pipeline", "stream_id"),
)

_NO_ORCHESTRATOR = OrchestratorInfo()
_NO_INFERENCE = InferenceStatus()
_NO_INPUT = InputStatus()
_NO_PARAMS = LastParams()


def _shape(envelope: Envelope, data: AiStreamStatus) -> tuple[tuple[Table, Row]]:
    orchestrator = data.orchestrator_info or _NO_ORCHESTRATOR
    inference = data.inference_status or _NO_INFERENCE
    params = inference.last_params or _NO_PARAMS
    source = data.input_status or _NO_INPUT
    row = (
        data.stream_id,
        data.request_id,
        envelope.gateway,
        address(orchestrator.address),
        orchestrator.url,
        data.pipeline,
        inference.fps,
        source.fps,
        data.state,
        inference.restart_count,
        inference.last_error or None,
        inference.last_error_time,
        params.prompt or None,
        params.width,
        params.height,
        inference.last_params_hash,
        data.start_time,
    )
    return ((TABLE, row),)


EVENT_TYPE = EventType(
    name="ai_stream_status",
    model=AiStreamStatus,
    required=("data.stream_id", "data.request_id", "data.pipeline"),
    tables=(TABLE,),
    shape=_shape,
)
