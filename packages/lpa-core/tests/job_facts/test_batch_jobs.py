"""Batch jobs against docs/spec/producers.md sections 6 and 9."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.job_facts.fold import fold_job
from lpa_core.job_facts.job_context import JobContext
from lpa_core.job_facts.job_fact import JobFact
from lpa_core.job_facts.job_rows import JobKey
from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.testing.job_rows import JobStory
from lpa_core.testing.lifecycle_strategies import NOON

ONE = Capability(NOON - 60_000, "a", "0xcan1", "0xhot", "https://one.test:1", "llm", "m", "GPU-1")


def fact(story: JobStory, *snapshots: Capability, job_id: str = "ai_batch|r") -> JobFact:
    found = fold_job(JobKey("", job_id), story.rows, JobContext(CapabilityIndex(snapshots)))
    assert found is not None
    return found.fact


def answered(**values: Any) -> JobStory:
    story = JobStory()
    story.batch(NOON, "received")
    story.batch(NOON + 900, "completed", **{"success": 1, **values})
    return story


def test_p10_a_job_that_is_answered() -> None:
    found = fact(answered(tries=2, duration_ms=900, orchestrator_url="https://ONE.test:1/", price_per_unit=1.5), ONE)
    assert (found.outcome, found.attempts, found.duration_ms, found.selection_outcome) == (
        "success",
        2,
        900,
        "selected",
    )
    assert (found.received_at, found.completed_at, found.price_per_unit) == (NOON, NOON + 900, 1.5)
    assert (found.attribution_status, found.orchestrator_address, found.gpu_id) == ("resolved", "0xcan1", "GPU-1")
    assert (found.pipeline, found.model_id, found.capability, found.gateway) == ("llm", "m", "", "gateway")


def test_p11_a_job_without_an_orchestrator() -> None:
    found = fact(answered(success=0, error_type="no_orchestrators"), ONE)
    assert (found.outcome, found.selection_outcome) == ("no_orchestrator", "no_orch")
    assert (found.attribution_status, found.orchestrator_address) == ("unresolved", "")


@pytest.mark.parametrize("values", [{"finish_reason": "error"}, {"finish_reason": "stop", "error": "reset"}])
def test_p12_an_answer_that_ends_in_an_error(values: dict[str, Any]) -> None:
    story = answered(duration_ms=300)
    story.llm(NOON + 100, "llm_request_started")
    story.llm(NOON + 2500, "llm_stream_completed", total_duration_ms=2500, completion_tokens=20, ttft_ms=90, **values)
    found = fact(story)
    assert (found.outcome, found.duration_ms) == ("stream_failed", 2500)
    assert (found.completion_tokens, found.ttft_ms, found.finish_reason) == (20, 90, values["finish_reason"])


def test_what_is_not_streamed_takes_as_long_as_the_request() -> None:
    story = answered(duration_ms=300)
    story.llm(NOON + 290, "llm_request_completed", total_duration_ms=250, finish_reason="stop", total_tokens=7)
    assert (fact(story).outcome, fact(story).duration_ms, fact(story).total_tokens) == ("success", 300, 7)


@pytest.mark.parametrize(
    ("values", "outcome", "selection"),
    [
        ({"success": 0, "error_type": "timeout", "orchestrator_url": "https://a"}, "failed", "selected"),
        ({"success": None}, "failed", "unknown"),
        ({"success": 0, "error_type": "bad_request"}, "failed", "unknown"),
    ],
)
def test_how_a_job_fails(values: dict[str, Any], outcome: str, selection: str) -> None:
    assert (fact(answered(**values)).outcome, fact(answered(**values)).selection_outcome) == (outcome, selection)


def test_a_job_that_is_open() -> None:
    story = JobStory()
    story.batch(NOON + 5, "received")
    story.batch(NOON, "received")
    found = fact(story)
    assert (found.outcome, found.received_at, found.completed_at, found.attempts) == ("open", NOON, None, 0)


def test_the_latest_completion_counts() -> None:
    story = answered(success=0)
    story.batch(NOON + 1000, "completed", success=1, duration_ms=7)
    story.batch(NOON + 950, "completed", success=0, duration_ms=8)
    assert (fact(story).outcome, fact(story).duration_ms) == ("success", 7)


def test_a_job_is_attributed_as_of_its_arrival() -> None:
    later = Capability(NOON + 800, "b", "0xcan2", "0xhot", "https://one.test:1", "llm", "m", "GPU-2")
    found = fact(answered(orchestrator_url="https://one.test:1"), ONE, later)
    assert found.orchestrator_address == "0xcan1"


def test_without_a_request_id_each_completion_is_a_job() -> None:
    story = JobStory(request_id=" ")
    received, completed = story.batch(NOON, "received"), story.batch(NOON + 900, "completed", success=1)
    only = JobStory()
    only.rows.batch = [completed]
    found = fact(only, job_id="ai_batch||uid-2")
    assert (found.outcome, found.request_id, found.received_at) == ("success", "", None)
    only.rows.batch = [received]
    assert fold_job(JobKey("", "ai_batch||uid-1"), only.rows, JobContext()) is None
