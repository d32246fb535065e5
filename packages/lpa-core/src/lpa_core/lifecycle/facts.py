"""The facts of a session. Attributes are the columns of docs/spec/tables.md section 5, in their order but for ``org``.

``version`` and ``ingestion_timestamp`` are not here: they are of the row that a fact is written as. Times are epoch ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

import msgspec
from msgspec.structs import astuple


class Fact(msgspec.Struct, frozen=True, gc=False):
    """A row of a fact table. Several are made per signal: structs that the garbage collector passes over."""

    table: ClassVar[str]


def column_names(fact: type[Fact]) -> tuple[str, ...]:
    return fact.__struct_fields__


def columns(facts: Sequence[Fact]) -> list[tuple[Any, ...]]:
    """The values of facts of one class, a tuple for each column; none if there are no facts."""
    return list(zip(*map(astuple, facts), strict=True))


@final
class SessionFact(Fact, frozen=True, gc=False, kw_only=True):
    table = "fact_workflow_sessions"

    org: str
    workflow_session_id: str
    workflow_type: str
    workflow_id: str
    stream_id: str
    request_id: str
    session_id: str
    pipeline: str
    gateway: str
    orchestrator_address: str
    orchestrator_url: str
    model_id: str | None
    gpu_id: str | None
    region: str | None
    has_model_change: int
    has_pipeline_change: int
    gpu_attribution_method: str
    gpu_attribution_confidence: float
    attribution_status: str
    attribution_reason: str
    attribution_candidates: str
    session_start_ts: int
    session_end_ts: int
    known_stream: int
    startup_success: int
    startup_excused: int
    startup_unexcused: int
    confirmed_swap_count: int
    inferred_orchestrator_change_count: int
    swap_count: int
    error_count: int
    excusable_error_count: int
    last_error_occurred: int
    loading_only_session: int
    zero_output_fps_session: int
    status_sample_count: int
    status_error_sample_count: int
    health_signal_count: int
    health_expected_signal_count: int
    health_completeness_ratio: float
    first_stream_request_ts: int | None
    first_processed_ts: int | None
    first_playable_ts: int | None
    event_count: int
    source_first_event_uid: str
    source_last_event_uid: str


@final
class SegmentFact(Fact, frozen=True, gc=False, kw_only=True):
    table = "fact_workflow_session_segments"

    org: str
    workflow_session_id: str
    segment_index: int
    segment_start_ts: int
    segment_end_ts: int | None
    gateway: str
    pipeline: str
    orchestrator_address: str
    orchestrator_url: str
    worker_id: str | None
    gpu_id: str | None
    model_id: str | None
    region: str | None
    gpu_attribution_method: str
    gpu_attribution_confidence: float
    attribution_status: str
    attribution_reason: str
    attribution_candidates: str
    reason: str
    source_trace_type: str
    source_event_uid: str


@final
class LatencyFact(Fact, frozen=True, gc=False, kw_only=True):
    """Latencies are in milliseconds."""

    table = "fact_workflow_latency_samples"

    org: str
    sample_ts: int
    workflow_session_id: str
    stream_id: str
    request_id: str
    gateway: str
    orchestrator_address: str
    pipeline: str
    model_id: str | None
    gpu_id: str | None
    region: str | None
    prompt_to_first_frame_ms: float | None
    startup_time_ms: float | None
    e2e_latency_ms: float | None
    has_prompt_to_first_frame: int
    has_startup_time: int
    has_e2e_latency: int
    edge_semantics_version: str


@final
class ParamUpdate(Fact, frozen=True, gc=False, kw_only=True):
    table = "fact_workflow_param_updates"

    org: str
    update_ts: int
    workflow_session_id: str
    stream_id: str
    request_id: str
    pipeline: str
    gateway: str
    orchestrator_address: str
    orchestrator_url: str
    model_id: str | None
    gpu_id: str | None
    gpu_attribution_method: str
    gpu_attribution_confidence: float
    update_type: str
    message: str
    source_event_uid: str


@final
class EdgeCoverage(Fact, frozen=True, gc=False):
    table = "fact_lifecycle_edge_coverage"

    org: str
    signal_ts: int
    workflow_session_id: str
    stream_id: str
    request_id: str
    pipeline: str
    model_id: str | None
    gateway: str
    orchestrator_address: str
    trace_type: str
    source_event_uid: str
    known_stream: int
    has_first_processed_edge: int
    has_first_playable_edge: int
    startup_edge_matched: int
    playable_edge_matched: int
    is_terminal_signal: int
    unmatched_reason: str


@final
class StatusSample(Fact, frozen=True, gc=False):
    table = "fact_stream_status_samples"

    org: str
    sample_ts: int
    workflow_session_id: str
    stream_id: str
    request_id: str
    gateway: str
    orchestrator_address: str
    orchestrator_url: str
    pipeline: str
    model_id: str | None
    gpu_id: str | None
    region: str | None
    state: str
    output_fps: float
    input_fps: float
    is_attributed: int
    gpu_attribution_method: str
    gpu_attribution_confidence: float
    attribution_status: str
    attribution_reason: str
    attribution_candidates: str
    source_event_uid: str


@final
class TraceEdge(Fact, frozen=True, gc=False):
    table = "fact_stream_trace_edges"

    org: str
    edge_ts: int
    workflow_session_id: str
    stream_id: str
    request_id: str
    gateway: str
    orchestrator_address: str
    orchestrator_url: str
    pipeline: str
    model_id: str | None
    trace_type: str
    trace_category: str
    is_swap_event: int
    is_attributed: int
    source_event_uid: str


@final
class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one session: all of them, or those that changed."""

    session: SessionFact | None = None
    latency: LatencyFact | None = None
    segments: Sequence[SegmentFact] = ()
    param_updates: Sequence[ParamUpdate] = ()
    coverage: Sequence[EdgeCoverage] = ()
    status_samples: Sequence[StatusSample] = ()
    trace_edges: Sequence[TraceEdge] = ()
