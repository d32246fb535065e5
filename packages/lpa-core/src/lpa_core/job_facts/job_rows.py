"""What a job is made of: rows of the tables of batch and BYOC jobs (docs/spec/producers.md section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, TypeVar, final

import msgspec


class JobType(StrEnum):
    """Which tables a job's rows are in."""

    AI_BATCH = "ai_batch"
    """``ai_batch_requests`` and ``ai_llm_requests``"""
    BYOC = "byoc"
    """``job_gateway_events``, ``job_orchestrator_events`` and ``job_payment_events``"""


@final
class JobKey(NamedTuple):
    """Tells jobs apart. Each org has requests of its own."""

    org: str
    job_id: str


class JobRow(msgspec.Struct, frozen=True, gc=False):
    """What the rows of all these tables have; times are epoch ms. A subclass is one table."""

    event_timestamp: int
    source_event_uid: str
    topic: str
    partition: int
    offset: int
    request_id: str
    gateway: str
    subtype: str
    orchestrator_url: str
    success: int | None
    error: str | None


@final
class BatchRow(JobRow, frozen=True, gc=False):
    """A row of ``ai_batch_requests``. ``price_per_unit`` is in wei."""

    pipeline: str = ""
    model_id: str = ""
    tries: int | None = None
    duration_ms: int | None = None
    price_per_unit: float | None = None
    error_type: str = ""


@final
class LlmRow(JobRow, frozen=True, gc=False):
    """A row of ``ai_llm_requests``."""

    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    total_duration_ms: int | None = None
    ttft_ms: int | None = None


class ByocRow(JobRow, frozen=True, gc=False):
    """What the rows of BYOC jobs have. ``orchestrator_address`` is in lower case."""

    capability: str = ""
    orchestrator_address: str = ""


@final
class GatewayRow(ByocRow, frozen=True, gc=False):
    """A row of ``job_gateway_events``."""

    attempt_index: int | None = None
    duration_ms: int | None = None
    http_status: int | None = None
    orch_url: str = ""


@final
class OrchestratorRow(ByocRow, frozen=True, gc=False):
    """A row of ``job_orchestrator_events``. ``price_per_unit`` is in wei a second, for ``pixels_per_unit``."""

    worker_url: str = ""
    duration_ms: int | None = None
    http_status: int | None = None
    price_per_unit: int | None = None
    pixels_per_unit: int | None = None


@final
class PaymentRow(ByocRow, frozen=True, gc=False):
    """A row of ``job_payment_events``. ``price_per_unit`` is in wei a second."""

    elapsed_seconds: int | None = None
    price_per_unit: int | None = None


_order = attrgetter("event_timestamp", "source_event_uid", "topic", "partition", "offset")

Row = TypeVar("Row", bound=JobRow)


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows by event time, each event once: one that was stored again is the same event."""
    known: dict[str, Row] = {}
    for row in sorted(rows, key=_order):
        known.setdefault(row.source_event_uid, row)
    return list(known.values())


def of_subtype(rows: Iterable[Row], *subtypes: str) -> list[Row]:
    """The rows of these subtypes, in their order."""
    return [row for row in rows if row.subtype in subtypes]


def job_id(job_type: JobType, request_id: str, event_uid: str) -> str:
    """The job that an event belongs to. ``event_uid`` is ``raw_event_uid``, which counts if ``request_id`` is blank.

    Outer spaces do not count, and no other white space does: databases trim in the same way.
    """
    request = request_id.strip(" ")
    return f"{job_type}|{request}" if request else f"{job_type}||{event_uid}"


@final
class JobRows(msgspec.Struct, kw_only=True):
    """All rows of one job, in any order."""

    batch: list[BatchRow] = []
    llm: list[LlmRow] = []
    gateway: list[GatewayRow] = []
    orchestrator: list[OrchestratorRow] = []
    payments: list[PaymentRow] = []
