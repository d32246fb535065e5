"""A BYOC job out of its rows: the attempts of a gateway, and what orchestrators say of them.

Rules: docs/spec/producers.md section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, TypeVar

from lpa_core.job_facts.job_attribution import attribute
from lpa_core.job_facts.job_context import JobContext
from lpa_core.job_facts.job_fact import AdvertisedPrice, FoldedJob, JobFact, Outcome, SelectionOutcome
from lpa_core.job_facts.job_rows import (
    ByocRow,
    GatewayRow,
    JobKey,
    JobRows,
    JobType,
    OrchestratorRow,
    PaymentRow,
    in_order,
    of_subtype,
)
from lpa_core.lifecycle.capabilities import key as compared
from lpa_core.lifecycle.capabilities import url_key
from lpa_core.lifecycle.signals import first_non_blank

_SUBMITTED: Final = "job_gateway_submitted"
COMPLETED: Final = "job_gateway_completed"
_RECEIVED: Final = "job_orchestrator_received"
_WORKER_RESULT: Final = "job_orchestrator_worker_result"
_CHARGED: Final = "payment_compute_charged"
_MOST_WEI: Final = 2**64 - 1

_Told = TypeVar("_Told", bound=ByocRow)


def byoc_job(key: JobKey, rows: JobRows, context: JobContext) -> FoldedJob | None:
    """The fact of a BYOC job; None if nobody says that it was submitted, completed, or answered by a worker.

    Without a request id nothing joins its events: the one that completes it is the job.
    """
    attempts, told = in_order(rows.gateway), in_order(rows.orchestrator)
    submitted, completed = of_subtype(attempts, _SUBMITTED), of_subtype(attempts, COMPLETED)
    results = of_subtype(told, _WORKER_RESULT)
    winner = _winner(submitted, completed, results)
    if winner is None or not (completed or winner.request_id.strip(" ")):
        return None
    accepted = of_subtype(told, _RECEIVED)
    ended = winner.subtype != _SUBMITTED
    received_at = submitted[0].event_timestamp if submitted else None
    completed_at = winner.event_timestamp if ended else None
    time = winner.event_timestamp if ended else submitted[0].event_timestamp
    result = _of_orchestrator(results, winner)
    worker_url = result.worker_url if result else ""
    url = first_non_blank(winner.orchestrator_url, winner.orch_url if isinstance(winner, GatewayRow) else "")
    wallet = winner.orchestrator_address
    attribution = attribute(
        context.capabilities, url=url, wallet=wallet, model="", capability=winner.capability, time=time
    )
    offer = attribution.offer
    address = wallet or (offer.canonical if offer else "")
    worker = context.workers.latest(winner.capability, address, worker_url, time)
    statuses = (winner.http_status, result.http_status if result else None)
    fact = JobFact(
        org=key.org,
        job_id=key.job_id,
        job_type=JobType.BYOC,
        request_id=winner.request_id.strip(" "),
        gateway=first_non_blank(winner.gateway, *(row.gateway for row in attempts)),
        capability=winner.capability,
        model_id=first_non_blank(worker.models if worker else "", offer.model_id if offer else ""),
        received_at=received_at,
        completed_at=completed_at,
        outcome=_outcome(completed, results),
        selection_outcome=SelectionOutcome.SELECTED if url_key(url) or wallet else SelectionOutcome.UNKNOWN,
        error=first_non_blank(winner.error, result.error if result else ""),
        attempts=_attempts(submitted, completed),
        duration_ms=winner.duration_ms,
        http_status=next((status for status in statuses if status is not None), None),
        worker_url=worker_url,
        orchestrator_url=first_non_blank(url, offer.url if offer else ""),
        orchestrator_address=offer.canonical if offer else "",
        gpu_id=offer.gpu_id or None if offer else None,
        attribution_status=attribution.state.status,
        attribution_reason=attribution.state.reason,
        attribution_candidates=attribution.state.candidates,
        price_per_unit=_price(_of_orchestrator(accepted, winner)),
        charged_wei=_charged(of_subtype(in_order(rows.payments), _CHARGED), accepted),
    )
    if offer is None or fact.price_per_unit is not None:
        return FoldedJob(fact)
    return FoldedJob(fact, AdvertisedPrice(offer.canonical, attribution.snapshot_ts, compared(winner.capability)))


def _winner(
    submitted: Sequence[GatewayRow], completed: Sequence[GatewayRow], results: Sequence[OrchestratorRow]
) -> GatewayRow | OrchestratorRow | None:
    for row in completed:
        if row.success == 1:
            return row
    for rows in (completed, results, submitted):
        if rows:
            return rows[-1]
    return None


def _outcome(completed: Sequence[GatewayRow], results: Sequence[OrchestratorRow]) -> Outcome:
    """The gateway knows best: what workers answered counts if it says nothing."""
    ends: Sequence[ByocRow] = completed or results
    if not ends:
        return Outcome.OPEN
    return Outcome.SUCCESS if any(row.success == 1 for row in ends) else Outcome.FAILED


def _attempts(submitted: Sequence[GatewayRow], completed: Sequence[GatewayRow]) -> int:
    last = max((row.attempt_index for row in (*submitted, *completed) if row.attempt_index is not None), default=-1)
    return max(len(submitted), len(completed), last + 1)


def _of_orchestrator(rows: Sequence[_Told], other: ByocRow) -> _Told | None:
    """The latest of these rows that is of the other's orchestrator. A row that names none may be of any."""
    for row in reversed(rows):
        if _is_one_orchestrator(row, other):
            return row
    return None


def _is_one_orchestrator(one: ByocRow, other: ByocRow) -> bool:
    urls = url_key(one.orchestrator_url), url_key(other.orchestrator_url)
    if all(urls):
        return urls[0] == urls[1]
    return "" in (one.orchestrator_address, other.orchestrator_address) or (
        one.orchestrator_address == other.orchestrator_address
    )


def _price(accepted: OrchestratorRow | None) -> float | None:
    """Wei for a unit, as the orchestrator took the job."""
    if accepted is None or accepted.price_per_unit is None:
        return None
    return accepted.price_per_unit / _pixels(accepted)


def _charged(charges: Sequence[PaymentRow], accepted: Sequence[OrchestratorRow]) -> int | None:
    """Whole wei of all attempts, None if nothing was charged. The total that orchestrators send forgets the pixels."""
    parts = [
        Fraction(max(0, charge.price_per_unit) * max(0, charge.elapsed_seconds))
        / _pixels(_of_orchestrator(accepted, charge))
        for charge in charges
        if charge.price_per_unit is not None and charge.elapsed_seconds is not None
    ]
    return min(int(sum(parts)), _MOST_WEI) if parts else None


def _pixels(accepted: OrchestratorRow | None) -> int:
    return accepted.pixels_per_unit if accepted and accepted.pixels_per_unit and accepted.pixels_per_unit > 0 else 1
