"""Jobs that were completed are counted by type, and those of them that have a fact too."""

from __future__ import annotations

import pytest

from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import job_coverage
from lpa_ops.testing.checked_database import CheckedDatabase

BATCH = ("ai_batch", "ai_batch_requests", "ai_batch_request_completed")
BYOC = ("byoc", "job_gateway_events", "job_gateway_completed")


def complete(day: CheckedDatabase, kind: tuple[str, str, str], jobs: int, facts: int, minutes_ago: int = 10) -> None:
    """Jobs of which some have a fact; each is said to be completed twice."""
    job_type, table, subtype = kind
    at = f"fromUnixTimestamp64Milli({day.now_ms}, 'UTC') - INTERVAL {minutes_ago} MINUTE"
    for _ in range(2):
        day.run(
            f"INSERT INTO day.{table} (event_timestamp, subtype, request_id, org) "
            f"SELECT {at}, '{subtype}', concat('r', toString(number), '-{minutes_ago}'), 'a' FROM numbers({jobs})"
        )
    day.run(
        "INSERT INTO day.fact_jobs_versions (org, job_id, job_type, completed_at, version) "
        f"SELECT 'a', concat('{job_type}|r', toString(number), '-{minutes_ago}'), '{job_type}', {at}, 1 "
        f"FROM numbers({facts})"
    )


@pytest.mark.parametrize(
    ("facts", "state"), [(100, State.OK), (99, State.OK), (98, State.WARNING), (97, State.CRITICAL)]
)
def test_failure_32_the_worst_type_counts(bare: CheckedDatabase, facts: int, state: State) -> None:
    complete(bare, BATCH, 100, facts)
    complete(bare, BYOC, 20, 20)
    complete(bare, BYOC, 50, 0, minutes_ago=361)
    found = bare(job_coverage.CHECK).finding
    assert (found.state, found.value) == (state, facts / 100)
    assert f"{facts} of 100 ai_batch jobs have a fact" in found.detail
    assert "20 of 20 byoc jobs have a fact" in found.detail


def test_a_fact_that_knows_no_completion_and_one_of_another_org_are_none(bare: CheckedDatabase) -> None:
    complete(bare, BYOC, 20, 0)
    bare.run(
        "INSERT INTO day.fact_jobs_versions (org, job_id, completed_at, version) "
        "SELECT if(number = 0, 'a', 'b'), concat('byoc|r', toString(number), '-10'), if(number = 0, NULL, now64(3)), 1 "
        "FROM numbers(20)"
    )
    assert bare(job_coverage.CHECK).finding.value == 0


def test_few_jobs_are_not_judged(bare: CheckedDatabase) -> None:
    complete(bare, BATCH, 19, 0)
    assert bare(job_coverage.CHECK).finding.state is State.NOT_APPLICABLE
