"""Assertions about jobs fail where their rows or views are damaged."""

from __future__ import annotations

from typing import Final

import pytest

from lpa_sinks.testing.damage import Damage, DerivedDatabase, fact, rows, view

JOBS: Final = "fact_jobs"
ENDED: Final = "job_type = 'byoc' AND outcome = 'success'"
SERVED: Final = "orchestrator_address != ''"


def _unkeyed(stored: DerivedDatabase) -> None:
    """Key jobs also by a time that moves."""
    stored.command("DROP TABLE $.fact_jobs_versions SYNC")
    stored.command(
        "CREATE TABLE $.fact_jobs_versions AS $.kept_fact_jobs_versions "
        "ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (org, job_id, first_event_timestamp)"
    )
    stored.command("INSERT INTO $.fact_jobs_versions SELECT * FROM $.kept_fact_jobs_versions")
    stored.change("fact_jobs", first_event_timestamp="first_event_timestamp - INTERVAL 1 SECOND")


DAMAGES: Final[dict[str, list[Damage]]] = {
    "job_events_match_typed_rows": [
        rows("job_gateway_events", "ALTER TABLE # DELETE WHERE request_id = 'slow'"),
        rows("worker_lifecycle_events", "INSERT INTO # SELECT * REPLACE ('made up' AS raw_event_uid) FROM # LIMIT 1"),
    ],
    "events_are_counted_once": [
        rows("job_payment_events", "INSERT INTO # SELECT * FROM # LIMIT 1"),
        rows("ai_batch_requests", "INSERT INTO # SELECT * FROM # LIMIT 1"),
    ],
    "facts_are_read_once": [Damage(_unkeyed, ("fact_jobs_versions",))],
    "completed_jobs_have_facts": [
        fact(JOBS, ENDED, is_deleted="1"),
        fact(JOBS, ENDED, completed_at="NULL"),
    ],
    "jobs_come_from_stored_events": [
        fact(JOBS, ENDED, job_id="'byoc|made up'"),
        rows("job_payment_events", "TRUNCATE TABLE #"),
    ],
    "job_outcomes_match_events": [
        fact(JOBS, ENDED, outcome="'failed'"),
        fact(JOBS, "outcome = 'no_orchestrator'", outcome="'failed'"),
        fact(JOBS, "outcome = 'open'", outcome="'success'"),
        rows(
            "ai_llm_requests", "INSERT INTO # SELECT * REPLACE ('error' AS finish_reason, 'zz' AS raw_event_uid) FROM #"
        ),
    ],
    "job_attributions_agree": [
        fact(JOBS, SERVED, attribution_status="'unresolved'"),
        fact(JOBS, "attribution_status = 'unresolved'", orchestrator_address="'0xcan1'"),
        fact(JOBS, "attribution_status = 'ambiguous'", attribution_candidates="''"),
        fact(JOBS, "attribution_status = 'ambiguous'", gpu_id="'GPU-1'"),
    ],
    "jobs_use_canonical_orchestrators": [fact(JOBS, SERVED, orchestrator_address="'0xhot'")],
    "job_tokens_match_answers": [
        fact(JOBS, "finish_reason != ''", completion_tokens="21"),
        fact(JOBS, "job_type = 'ai_batch' AND finish_reason = ''", finish_reason="'stop'"),
    ],
    "job_charges_match_payments": [
        fact(JOBS, "charged_wei > 0", charged_wei="assumeNotNull(charged_wei) * 100"),
        fact(JOBS, "charged_wei > 0", charged_wei="NULL"),
        fact(JOBS, "charged_wei IS NULL", charged_wei="1"),
    ],
    "job_demand_matches_facts": [
        view("v_api_job_demand", jobs="jobs + 1"),
        view("v_api_job_demand", charged_wei="charged_wei * 2"),
        view("v_api_job_demand", "job_type = 'byoc'"),
    ],
    "llm_usage_matches_facts": [
        view("v_api_llm_usage", requests="requests * 2"),
        view("v_api_llm_usage", completion_tokens_sum="completion_tokens_sum + 1"),
        view("v_api_llm_usage", "0"),
    ],
    "job_view_keys_are_unique": [
        *(
            view(name, twice=True)
            for name in (
                "v_api_job_demand",
                "v_api_llm_usage",
                "v_api_job_auth",
                "v_api_job_payments",
                "v_api_byoc_workers",
                "v_api_ticket_cost",
            )
        ),
        view("v_api_job_auth", window_start="window_start + INTERVAL 1 MINUTE"),
    ],
}
CASES: Final = [(name, damage) for name, damages in DAMAGES.items() for damage in damages]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "damage"), CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def test_a_damage_is_found(stored: DerivedDatabase, name: str, damage: Damage) -> None:
    with stored.mended(damage.tables, damage.views):
        damage.do(stored)
        assert stored.ask(name).severity is damage.severity


@pytest.mark.parametrize("name", DAMAGES)
def test_without_a_damage_nothing_is_found(stored: DerivedDatabase, name: str) -> None:
    assert stored.ask(name).rows == []
