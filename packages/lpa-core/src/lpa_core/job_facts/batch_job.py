"""A batch job out of its rows (docs/spec/producers.md section 6)."""

from __future__ import annotations

from typing import Final

from lpa_core.job_facts.job_attribution import attribute
from lpa_core.job_facts.job_context import JobContext
from lpa_core.job_facts.job_fact import FoldedJob, JobFact, Outcome, SelectionOutcome
from lpa_core.job_facts.job_rows import BatchRow, JobKey, JobRows, JobType, LlmRow, in_order, of_subtype
from lpa_core.lifecycle.capabilities import url_key
from lpa_core.lifecycle.signals import first_non_blank

_RECEIVED: Final = "ai_batch_request_received"
_COMPLETED: Final = "ai_batch_request_completed"
_LLM_COMPLETED: Final = "llm_request_completed"
_LLM_STREAMED: Final = "llm_stream_completed"
_NO_ORCHESTRATORS: Final = "no_orchestrators"


def batch_job(key: JobKey, rows: JobRows, context: JobContext) -> FoldedJob | None:
    """The fact of a batch job; None if no row says that it was received or completed.

    Without a request id nothing joins its events: the one that completes it is the job.
    """
    requests = in_order(rows.batch)
    received, completed = of_subtype(requests, _RECEIVED), of_subtype(requests, _COMPLETED)
    if not completed and not (received and received[0].request_id.strip(" ")):
        return None
    end = completed[-1] if completed else None
    answers = of_subtype(in_order(rows.llm), _LLM_COMPLETED, _LLM_STREAMED)
    answer = answers[-1] if answers else None
    told = end or received[0]
    received_at = received[0].event_timestamp if received else None
    completed_at = end.event_timestamp if end else None
    model = first_non_blank(told.model_id, *(row.model_id for row in received))
    attribution = attribute(
        context.capabilities,
        url=told.orchestrator_url,
        wallet="",
        model=model,
        capability="",
        time=completed_at if received_at is None else received_at,
    )
    offer = attribution.offer
    fact = JobFact(
        org=key.org,
        job_id=key.job_id,
        job_type=JobType.AI_BATCH,
        request_id=told.request_id.strip(" "),
        gateway=first_non_blank(told.gateway, *(row.gateway for row in received)),
        pipeline=first_non_blank(told.pipeline, *(row.pipeline for row in received)),
        model_id=model,
        received_at=received_at,
        completed_at=completed_at,
        outcome=_outcome(end, answer),
        selection_outcome=_selection(told),
        error_type=told.error_type,
        error=first_non_blank(told.error, answer.error if answer else ""),
        attempts=told.tries or 0,
        duration_ms=_duration(end, answer),
        ttft_ms=answer.ttft_ms if answer else None,
        prompt_tokens=answer.prompt_tokens if answer else None,
        completion_tokens=answer.completion_tokens if answer else None,
        total_tokens=answer.total_tokens if answer else None,
        finish_reason=answer.finish_reason if answer else "",
        orchestrator_url=told.orchestrator_url,
        orchestrator_address=offer.canonical if offer else "",
        gpu_id=offer.gpu_id or None if offer else None,
        attribution_status=attribution.state.status,
        attribution_reason=attribution.state.reason,
        attribution_candidates=attribution.state.candidates,
        price_per_unit=told.price_per_unit,
    )
    return FoldedJob(fact)


def _outcome(end: BatchRow | None, answer: LlmRow | None) -> Outcome:
    if end is None:
        return Outcome.OPEN
    if end.success == 1:
        broken = answer is not None and (answer.finish_reason == "error" or first_non_blank(answer.error) != "")
        return Outcome.STREAM_FAILED if broken else Outcome.SUCCESS
    return Outcome.NO_ORCHESTRATOR if end.error_type == _NO_ORCHESTRATORS else Outcome.FAILED


def _selection(told: BatchRow) -> SelectionOutcome:
    if url_key(told.orchestrator_url):
        return SelectionOutcome.SELECTED
    return SelectionOutcome.NO_ORCHESTRATOR if told.error_type == _NO_ORCHESTRATORS else SelectionOutcome.UNKNOWN


def _duration(end: BatchRow | None, answer: LlmRow | None) -> int | None:
    """Of a stream the request completes as the answer begins: its length is the stream's own."""
    if answer is not None and answer.subtype == _LLM_STREAMED and answer.total_duration_ms is not None:
        return answer.total_duration_ms
    return end.duration_ms if end else None
