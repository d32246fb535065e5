"""A worker that has left partitions to a person does not look well: to the endpoint, to the page, to who stops it."""

from __future__ import annotations

import pytest

from lpa_core.admin.job import JobState, PartitionStatus
from lpa_core.admin.page import page
from lpa_core.admin.status import details, jobs_overview
from lpa_core.commands.ingest import _print_report
from lpa_core.delivery.consumer_group import Commit, Partition, ReadableOffsets
from lpa_core.delivery.partitions import PartitionState, Phase, given_up, waiting
from lpa_core.delivery.run_report import Report
from lpa_core.testing.administered_job import JobDouble

WHY = "events[1]: no offset is committed"
HELD = (
    PartitionStatus("events", 0, "running", 10, 10),
    PartitionStatus("events", 1, f"failed: {WHY}", None, 6416, failed=True),
)


@pytest.mark.parametrize(
    ("state", "held", "counts"),
    [
        (JobState.RUNNING, HELD, {"running": 1, "failed": 1}),
        (JobState.FAILING, HELD[1:], {"running": 0, "failed": 1}),
        (JobState.CANCELLING, HELD, {"canceling": 1, "failed": 1}),
        (JobState.RUNNING, HELD[:1], {"running": 1, "failed": 0}),
    ],
)
def test_failure_17_partitions_that_are_given_up_are_failed_tasks_of_a_job_that_is_not_healthy(
    state: JobState, held: tuple[PartitionStatus, ...], counts: dict[str, int]
) -> None:
    job = JobDouble(now=state, held=held)
    tasks = jobs_overview(job, 0)["jobs"][0]["tasks"]
    assert {name: tasks[name] for name in counts} == counts
    assert sum(tasks.values()) == 2 * len(held), "the total, and each partition once"
    failed = any(each.failed for each in held)
    assert details(job, 0)["healthy"] is not failed
    assert (b"need a person" in page(job, 0, {"checks": [], "state": "ok"})) is failed


def test_failure_17_what_waits_and_what_is_given_up_is_known_of_each_partition() -> None:
    states = {
        (place := Partition("events", number)): PartitionState(
            place, span=span, committed=done, end=end, phase=phase, why=why
        )
        for number, (span, done, end, phase, why) in enumerate(
            (
                (ReadableOffsets(0, 10), Commit(10), 10, Phase.RUNNING, ""),
                (ReadableOffsets(84, 6500), None, None, Phase.FAILED, WHY),
                (ReadableOffsets(0, 5), Commit(7), 10, Phase.RUNNING, ""),
                (None, None, None, Phase.STARTING, "what is committed is not read yet"),
            )
        )
    }
    assert given_up(states) == {"events[1]": WHY}
    assert waiting(states) == {"events[1]": 6416, "events[2]": 3}


@pytest.mark.parametrize(
    ("report", "said", "unsaid"),
    [
        (Report("a.ndjson"), "Nothing new: all of it was read before.", "wait"),
        (
            Report("events", waiting={"events[1]": 6416}, given_up={"events[1]": WHY}),
            "events[1] needs a person: events[1]: no offset is committed\n6,416 records wait: 6,416 in events[1].",
            "Nothing new",
        ),
        (Report("events", read=5, accepted=5, waiting={"events[1]": 3}), "3 records wait: 3 in events[1].", "Nothing"),
        (Report("events", waiting={}, given_up={"events[1]": WHY}), "events[1] needs a person", "Nothing"),
        (Report("events", waiting={}), "Nothing was read: no record waits in the partitions", "Nothing new"),
    ],
)
def test_failure_17_a_stopped_worker_tells_what_waits(
    report: Report, said: str, unsaid: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    _print_report(report)
    shown = capsys.readouterr().out
    assert said in shown
    assert unsaid not in shown
