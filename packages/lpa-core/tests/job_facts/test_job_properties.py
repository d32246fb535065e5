"""What holds for every job: its fact is a function of the set of its rows and of what is known around it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lpa_core.job_facts.fold import fold_job
from lpa_core.job_facts.job_context import JobContext
from lpa_core.job_facts.job_fact import FoldedJob, Outcome
from lpa_core.job_facts.job_rows import JobKey, JobRows
from lpa_core.job_facts.workers import Registration, WorkerIndex
from lpa_core.lifecycle.attribution_state import AttributionStatus
from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
from lpa_core.testing.job_rows import again, job_rows, registrations
from lpa_core.testing.lifecycle_strategies import capabilities

KEYS = (JobKey("org", "ai_batch|r"), JobKey("org", "byoc|r"))
snapshots = st.lists(capabilities, max_size=6)


def folded(rows: JobRows, known: list[Capability], workers: list[Registration]) -> list[FoldedJob | None]:
    context = JobContext(CapabilityIndex(known), WorkerIndex(workers))
    return [fold_job(key, rows, context) for key in KEYS]


@settings(max_examples=30)
@given(job_rows, snapshots, registrations, st.data())
def test_neither_order_nor_repetition_changes_the_fact(
    rows: JobRows, known: list[Capability], workers: list[Registration], data: st.DataObject
) -> None:
    otherwise = folded(
        data.draw(again(rows)), data.draw(st.permutations(known)), data.draw(st.permutations([*workers, *workers]))
    )
    assert otherwise == folded(rows, known, workers)


@settings(max_examples=30)
@given(job_rows, snapshots)
def test_columns_agree_with_each_other(rows: JobRows, known: list[Capability]) -> None:
    for fact in (job.fact for job in folded(rows, known, []) if job is not None):
        assert (fact.outcome == Outcome.OPEN) is (fact.completed_at is None)
        found = fact.attribution_status not in (AttributionStatus.AMBIGUOUS, AttributionStatus.UNRESOLVED)
        assert found is (fact.orchestrator_address != "")
        assert fact.gpu_id is None or found
        assert (fact.attribution_candidates != "") is (fact.attribution_status == AttributionStatus.AMBIGUOUS)
        assert fact.attempts >= 0
        assert fact.charged_wei is None or 0 <= fact.charged_wei < 2**64


@settings(max_examples=30)
@given(job_rows, snapshots, registrations)
def test_a_job_of_one_type_is_made_of_its_own_tables_only(
    rows: JobRows, known: list[Capability], workers: list[Registration]
) -> None:
    batch, byoc = folded(rows, known, workers)
    of_batch = JobRows(batch=rows.batch, llm=rows.llm)
    of_byoc = replace(rows, batch=[], llm=[])
    assert folded(of_batch, known, workers) == [batch, None]
    assert folded(of_byoc, known, workers) == [None, byoc]


def test_nothing_in_nothing_out() -> None:
    assert folded(JobRows(), [], []) == [None, None]
