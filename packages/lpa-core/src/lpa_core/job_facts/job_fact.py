"""The fact of a job. Attributes are the columns of ``fact_jobs``, in their order (docs/spec/producers.md section 6)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, final

from lpa_core.lifecycle.facts import Fact


class Outcome(StrEnum):
    """How a job came out."""

    SUCCESS = "success"
    STREAM_FAILED = "stream_failed"
    """The answer of a language model began, and ended with an error."""
    NO_ORCHESTRATOR = "no_orchestrator"
    FAILED = "failed"
    OPEN = "open"
    """Nothing says that it ended. After an hour it counts as lost: senders drop events."""


class SelectionOutcome(StrEnum):
    """Whether the gateway found an orchestrator for the job."""

    SELECTED = "selected"
    NO_ORCHESTRATOR = "no_orch"
    UNKNOWN = "unknown"


@final
class JobFact(Fact, frozen=True, gc=False, kw_only=True):
    """Times are epoch ms. Without an orchestrator that is known, ``orchestrator_address`` is empty."""

    table = "fact_jobs"

    org: str
    job_id: str
    job_type: str
    request_id: str
    gateway: str
    pipeline: str = ""
    capability: str = ""
    model_id: str
    received_at: int | None
    completed_at: int | None
    outcome: str
    selection_outcome: str
    error_type: str = ""
    error: str
    attempts: int
    duration_ms: int | None
    ttft_ms: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    finish_reason: str = ""
    http_status: int | None = None
    worker_url: str = ""
    orchestrator_url: str
    orchestrator_address: str
    gpu_id: str | None
    attribution_status: str
    attribution_reason: str
    attribution_candidates: str
    price_per_unit: float | None
    charged_wei: int | None = None


@final
class AdvertisedPrice(NamedTuple):
    """Whose price for a BYOC capability is looked up, and in which snapshot (epoch ms).

    ``capability`` is as :func:`~lpa_core.lifecycle.capabilities.key` gives it.
    """

    orchestrator_address: str
    snapshot_ts: int
    capability: str


@final
class FoldedJob(NamedTuple):
    """A fact, and where its price is advertised if no event of the job says it."""

    fact: JobFact
    advertised: AdvertisedPrice | None = None
