"""Orgs with the same labels, and jobs, in the routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lpa_sinks.testing.hand_made_rows import DAY, HandMade


def test_pages_tell_orgs_with_the_same_labels_apart(made: HandMade, ask: Callable[[str], Any]) -> None:
    for org in ("a", "b"):
        made.session("s|r", org=org)
    first = ask("streaming/demand?limit=1")
    second = ask(f"streaming/demand?limit=1&cursor={first['pagination']['next_cursor']}")
    assert [page["data"][0]["org"] for page in (first, second)] == ["a", "b"]
    assert second["pagination"]["has_more"] is False
    assert [row["org"] for row in ask("streaming/demand?org=b")["data"]] == ["b"]
    of_one = ask("dashboard/kpi?org=a")["streaming"]["dailySessionCount"]["value"]
    assert (of_one, ask("dashboard/kpi")["streaming"]["dailySessionCount"]["value"]) == (1, 2)


def test_jobs_are_requests_and_recent_work(made: HandMade, ask: Callable[[str], Any]) -> None:
    offer = {"orchestrator_address": "0xcan", "orchestrator_url": "https://a.test:1", "pipeline": "upscale"}
    made.insert(
        "dim_orchestrator_capability_snapshots_versions",
        **offer, model_id="m", snapshot_ts=f"{DAY} 11:00:00", source_event_uid="u", version=1,
    )  # fmt: skip
    for number, outcome in enumerate(("success", "success", "success", "failed")):
        made.insert(
            "fact_jobs_versions",
            **offer, job_id=f"ai_batch|{number}", job_type="ai_batch", outcome=outcome, version=1,
            received_at=f"{DAY} 11:30:00", completed_at=f"{DAY} 11:30:01",
            first_event_timestamp=f"{DAY} 11:30:00", last_event_timestamp=f"{DAY} 11:30:01",
        )  # fmt: skip
    figures = ask("dashboard/kpi")["requests"]
    assert figures["ai_batch"]["successRate"]["value"] == 75
    assert figures["ai_batch"]["dailyJobCount"]["value"] == 4
    assert figures["byoc"]["successRate"]["value"] is None
    assert ask("dashboard/kpi?window=168h")["requests"]["ai_batch"]["successRate"]["value"] == 75
    (found,) = ask("discover/orchestrators?caps=upscale/m")
    assert (found["address"], found["score"], found["recent_work"]) == ("https://a.test:1", 0.75, True)


def test_fees_are_the_same_whether_or_not_a_label_is_asked_for(made: HandMade, ask: Callable[[str], Any]) -> None:
    """One session, of the model m, was paid for; so was a request that no session has."""
    made.session("s|r", request_id="r", model_id="m")
    for request in ("r", "nobody"):
        made.insert(
            "payment_events",
            event_timestamp=f"{DAY} 10:10:00", request_id=request, face_value="1000000000000000000 WEI",
            win_prob="0.5", num_tickets="1",
        )  # fmt: skip
    assert fees(ask, "") == 1.0
    assert fees(ask, "&model_id=m") == 0.5
    assert fees(ask, "&model_id=another") == 0
    assert fees(ask, "&org=another") == 0


def fees(ask: Callable[[str], Any], labels: str) -> float:
    found = ask(f"dashboard/kpi?window=24h{labels}")["streaming"]["dailyNetworkFeesEth"]["value"]
    assert isinstance(found, float)
    return found
