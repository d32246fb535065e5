"""BYOC jobs against docs/spec/producers.md sections 5, 6 and 9."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.job_facts.fold import fold_job
from lpa_core.job_facts.job_context import JobContext
from lpa_core.job_facts.job_fact import AdvertisedPrice, JobFact
from lpa_core.job_facts.job_rows import JobKey, JobType, job_id
from lpa_core.job_facts.workers import VALID_MS, Registration, WorkerIndex
from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.testing.job_rows import JobStory
from lpa_core.testing.lifecycle_strategies import NOON


def cap(number: int, local: str = "0xhot", pipeline: str = "chat") -> Capability:
    return Capability(
        NOON - 60_000, "a", f"0xcan{number}", local, f"https://o{number}.test", pipeline, f"m{number}", f"GPU-{number}"
    )


def on(number: int) -> dict[str, str]:
    """What an event names an orchestrator by."""
    return {"orchestrator_address": f"0xcan{number}", "orchestrator_url": f"https://o{number}.test"}


def fact(story: JobStory, *snapshots: Capability, **context: Any) -> JobFact:
    found = fold_job(JobKey("", "byoc|r"), story.rows, JobContext(CapabilityIndex(snapshots), **context))
    assert found is not None
    return found.fact


def completed(**values: Any) -> JobStory:
    story = JobStory()
    story.gateway(NOON, "completed", **{"success": 1, **on(1), **values})
    return story


def test_p13_the_attempt_that_succeeds_is_the_job() -> None:
    story = JobStory()
    story.gateway(NOON, "submitted", attempt_index=0, **on(1))
    story.gateway(NOON + 50, "completed", success=0, duration_ms=50, **on(1))
    story.gateway(NOON + 60, "submitted", attempt_index=1, **on(2))
    story.gateway(NOON + 130, "completed", success=1, duration_ms=70, **on(2))
    story.gateway(NOON + 140, "submitted", attempt_index=2, **on(3))
    found = fact(story, cap(1), cap(2), cap(3))
    assert (found.outcome, found.orchestrator_address, found.attempts, found.duration_ms) == (
        "success",
        "0xcan2",
        3,
        70,
    )
    assert (found.received_at, found.completed_at) == (NOON, NOON + 130)
    assert (found.capability, found.model_id, found.gpu_id) == ("chat", "m2", "GPU-2")


def test_p14_a_worker_that_does_not_answer() -> None:
    story = JobStory()
    story.gateway(NOON, "submitted", **on(1))
    story.orchestrator(NOON + 70, "worker_result", http_status=502, success=0, worker_url="http://w:8", **on(1))
    found = fact(story)
    assert (found.outcome, found.http_status, found.worker_url) == ("failed", 502, "http://w:8")
    assert found.completed_at == NOON + 70


def test_a_worker_that_answered_is_enough() -> None:
    story = JobStory()
    story.orchestrator(NOON, "worker_result", http_status=200, success=1, **on(1))
    assert (fact(story).outcome, fact(story).received_at) == ("success", None)


def test_the_gateway_s_word_counts_before_that_of_workers() -> None:
    story = completed(success=0)
    story.orchestrator(NOON - 1, "worker_result", http_status=200, success=1, **on(1))
    assert (fact(story).outcome, fact(story).http_status) == ("failed", 200)


def test_a_job_that_is_only_submitted_is_open() -> None:
    story = JobStory()
    story.gateway(NOON, "submitted", attempt_index=4)
    found = fact(story)
    assert (found.outcome, found.completed_at, found.attempts) == ("open", None, 5)
    assert (found.selection_outcome, found.attribution_status) == ("unknown", "unresolved")


def test_failure_32_three_orchestrators_behind_one_hot_wallet_are_told_apart_by_url_only() -> None:
    shared = cap(1), cap(2), cap(3)
    for number in (1, 2, 3):
        found = fact(completed(orchestrator_address="0xhot", orchestrator_url=f"https://O{number}.test/"), *shared)
        assert (found.attribution_status, found.orchestrator_address) == ("resolved", f"0xcan{number}")
    found = fact(completed(orchestrator_address="0xhot", orchestrator_url=""), *shared)
    assert (found.attribution_status, found.orchestrator_address, found.gpu_id) == ("ambiguous", "", None)
    assert found.attribution_candidates == ",".join(f"0xcan{n}@https://o{n}.test" for n in (1, 2, 3))
    assert found.selection_outcome == "selected"


def test_an_orchestrator_that_does_not_offer_the_capability_is_not_meant() -> None:
    assert fact(completed(), cap(1, pipeline="comfy")).attribution_status == "unresolved"


def test_without_a_url_the_address_decides() -> None:
    found = fact(completed(orchestrator_url=""), cap(1), cap(2))
    assert (found.orchestrator_address, found.orchestrator_url) == ("0xcan1", "https://o1.test")


def test_what_the_orchestrator_of_the_winner_says_counts() -> None:
    story = completed()
    for number, price in ((1, 90), (2, 70)):
        story.orchestrator(NOON - 5, "received", price_per_unit=price, pixels_per_unit=4, **on(number))
        story.orchestrator(
            NOON - number, "worker_result", http_status=200 + number, worker_url=f"http://w{number}", **on(number)
        )
    found = fact(story)
    assert (found.price_per_unit, found.worker_url, found.http_status) == (22.5, "http://w1", 201)


def test_a_price_that_no_event_says_is_looked_up_in_the_snapshot() -> None:
    context = JobContext(CapabilityIndex([cap(1)]))
    story = completed(capability=" Chat ")
    found = fold_job(JobKey("", "byoc|r"), story.rows, context)
    assert found is not None
    assert (found.fact.price_per_unit, found.advertised) == (
        None,
        AdvertisedPrice("0xcan1", NOON - 60_000, "chat"),
    )
    story.orchestrator(NOON, "received", price_per_unit=90, **on(1))
    found = fold_job(JobKey("", "byoc|r"), story.rows, context)
    assert found is not None
    assert (found.fact.price_per_unit, found.advertised) == (90, None)


@pytest.mark.parametrize(
    ("charges", "pixels", "wei"),
    [
        ([(3, 90)], None, 270),
        ([(3, 90), (2, 90)], None, 450),
        ([(3, 90)], 4, 67),
        ([(1, 1), (1, 1)], 2, 1),
        ([(1, 1)], 0, 1),
        ([(-3, 90)], None, 0),
        ([(2**62, 2**62)], None, 2**64 - 1),
        ([], None, None),
    ],
)
def test_what_is_charged(charges: list[tuple[int, int]], pixels: int | None, wei: int | None) -> None:
    story = completed()
    story.orchestrator(NOON, "received", price_per_unit=90, pixels_per_unit=pixels, **on(1))
    for elapsed, price in charges:
        story.charge(NOON, elapsed, price, **on(1))
    assert fact(story).charged_wei == wei


def test_what_other_payments_say_is_no_charge() -> None:
    story = completed()
    story.charge(NOON, 3, 90, subtype="payment_created", **on(1))
    assert fact(story).charged_wei is None


REGISTERED = Registration(NOON - 1000, "w", "chat", "0xcan1", "http://w:8", "big")


@pytest.mark.parametrize(
    ("registered", "worker_url", "model"),
    [
        (REGISTERED, "http://W:8/", "big"),
        (REGISTERED, "http://other", "m1"),
        (REGISTERED, "", "big"),
        (Registration(NOON - 1000, "w", "chat", "0xcan1", "", "big"), "http://w:8", "big"),
        (Registration(NOON - 1000, "w", "chat", "0xcan2", "http://w:8", "big"), "http://w:8", "m1"),
        (Registration(NOON - 1000, "w", "comfy", "0xcan1", "http://w:8", "big"), "http://w:8", "m1"),
        (Registration(NOON + 1, "w", "chat", "0xcan1", "http://w:8", "big"), "http://w:8", "m1"),
        (Registration(NOON, "w", "chat", "0xcan1", "http://w:8", "big"), "http://w:8", "big"),
        (Registration(NOON - VALID_MS, "w", "chat", "0xcan1", "http://w:8", "big"), "http://w:8", "big"),
        (Registration(NOON - VALID_MS - 1, "w", "chat", "0xcan1", "http://w:8", "big"), "http://w:8", "m1"),
        (Registration(NOON, "w", "chat", "0xcan1", "http://w:8", ""), "http://w:8", "m1"),
    ],
)
def test_the_model_is_the_worker_s_else_that_of_the_snapshot(
    registered: Registration, worker_url: str, model: str
) -> None:
    story = completed()
    story.orchestrator(NOON, "worker_result", worker_url=worker_url, **on(1))
    assert fact(story, cap(1), workers=WorkerIndex([registered])).model_id == model


def test_the_latest_registration_counts() -> None:
    later = Registration(NOON - 10, "w2", "chat", "0xcan1", "http://w:8", "bigger")
    assert fact(completed(), workers=WorkerIndex([later, REGISTERED])).model_id == "bigger"


def test_without_a_request_id_each_completion_is_a_job() -> None:
    story = JobStory(request_id="")
    row = story.gateway(NOON, "completed", success=1, **on(1))
    key = JobKey("", job_id(JobType.BYOC, row.request_id, row.source_event_uid))
    assert key.job_id == "byoc||uid-1"
    found = fold_job(key, story.rows, JobContext())
    assert found is not None
    assert (found.fact.job_id, found.fact.outcome, found.fact.request_id) == ("byoc||uid-1", "success", "")
    other = JobStory(request_id="")
    other.gateway(NOON, "submitted", **on(1))
    assert fold_job(key, other.rows, JobContext()) is None
