"""The page of health checks."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from starlette.testclient import TestClient

from lpa_core.health.check import CheckResult, Finding, HealthCheck
from lpa_core.health.report import HealthReport
from lpa_core.settings.thresholds import State, Thresholds
from lpa_ops.console.page import ConsoleSources
from lpa_ops.testing.page_text import page

BAD = HealthCheck("bad", "A bad thing", lambda scope: Finding(State.OK, ""), "share", runbook="docs/operations/x.md")
FOUND = Finding(State.CRITICAL, "<script>alert(1)</script> \u202e!", 0.25, Thresholds(0.1, 0.2), "run `lpa triage`")


def test_it_has_the_answer_of_the_command(browser: TestClient, day_health: HealthReport) -> None:
    content = browser.get("/health.json").json()
    told = {each["name"]: each for each in day_health.as_json()["checks"]}
    assert {each["name"]: each for each in content["checks"]} == told
    found = page(browser.get("/health"))
    for each in told.values():
        assert each["title"] in found.text
        assert each["state"] in found.text


def test_failing_checks_come_first_and_say_what_to_do(
    opened: Callable[..., TestClient], sources: ConsoleSources
) -> None:
    fine = CheckResult(attrs.evolve(BAD, name="fine", title="A fine thing"), Finding(State.OK, "all"), 0.1, 1)
    report = HealthReport([fine, CheckResult(BAD, FOUND, 0.1, 1)])
    browser = opened(attrs.evolve(sources, health=lambda: report))
    found = page(browser.get("/health"))
    assert found.text.index("A bad thing") < found.text.index("A fine thing")
    assert "Value 25 %" in found.text
    assert "warning 10 %, critical 20 %" in found.text
    assert "To do run lpa triage" in found.text
    assert r"<script>alert(1)</script> \u202e!" in found.text, "what a check says is text"
    assert browser.get("/health.json").json()["state"] == "critical"


def test_before_the_first_round_it_says_so(opened: Callable[..., TestClient], sources: ConsoleSources) -> None:
    browser = opened(attrs.evolve(sources, health=lambda: HealthReport([])))
    found = page(browser.get("/health"))
    assert "The checks run for the first time" in found.text
    assert "ok" not in found.text.split()
    assert browser.get("/health.json").json()["state"] == "loading"


def test_it_refreshes_itself(browser: TestClient) -> None:
    found = page(browser.get("/health?since=2h"))
    (live,) = [attributes for _, attributes in found.elements if "hx-get" in attributes]
    assert (live["hx-get"], live["hx-select"]) == ("/health?since=2h", "#live")
