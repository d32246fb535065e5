"""The page of health checks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lpa_core.health.check import CheckResult, Finding, HealthCheck, Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.report import HealthReport
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State, Thresholds
from lpa_core.sinks.sink import SinkUnavailable
from lpa_ops.console.monitor import HealthWatch, asked_now, shared_checks
from lpa_ops.console.page import ConsoleSources
from lpa_ops.console.trends import HEIGHT, MOST, WIDTH, Measured, Trends, line, words
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_ops.testing.page_text import page

Open = Callable[..., TestClient]
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


def test_a_page_that_takes_long_to_render_holds_up_nobody_else(opened: Open, sources: ConsoleSources) -> None:
    rendered_in: list[bool] = []

    class Long(str):
        """Notes whether the loop that answers everybody waits for it."""

        def __getitem__(self, at: Any) -> str:
            try:
                rendered_in.append(asyncio.get_running_loop() is not None)
            except RuntimeError:
                rendered_in.append(False)
            return super().__getitem__(at)

    report = HealthReport([CheckResult(BAD, attrs.evolve(FOUND, detail=Long("long")), 0.1, 1)])
    page(opened(attrs.evolve(sources, health=lambda: report)).get("/health"))
    assert rendered_in
    assert not any(rendered_in)


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


@pytest.mark.parametrize(
    ("check", "table", "of"),
    [
        ("dlq_rate", "streaming_events_dlq", "1"),
        ("quarantine_rate", "streaming_events_quarantine", "1"),
        ("implausible_timestamps", "streaming_events_dlq", "failure_reason = 'implausible_timestamp'"),
    ],
)
def test_a_failing_check_leads_to_the_newest_record(
    opened: Open, sources: ConsoleSources, day: CheckedDatabase, check: str, table: str, of: str
) -> None:
    newest = day.query(
        f"SELECT DISTINCT concat(source_topic, '/', toString(source_partition), '/', toString(source_offset)) "
        f"FROM day.{table} WHERE {of} AND ingestion_timestamp IN "
        f"(SELECT max(ingestion_timestamp) FROM day.{table} WHERE {of})"
    )
    browser = opened(attrs.evolve(sources, health=lambda: failed(check)))
    content = browser.get("/health.json").json()
    if not newest:
        assert content["newest"] == {}
        return
    assert content["newest"][check]["position"] in {position for (position,) in newest}
    (link,) = [each for each in page(browser.get("/health")).links if each.startswith("/failures/record")]
    assert content["newest"][check]["position"] in page(browser.get(link)).text


def test_a_failing_check_leads_to_the_newest_session(
    opened: Open, sources: ConsoleSources, day: CheckedDatabase
) -> None:
    browser = opened(attrs.evolve(sources, health=lambda: failed("attribution_coverage")))
    session = browser.get("/health.json").json()["newest"]["attribution_coverage"]["session"]
    ((status,),) = day.query(
        f"SELECT attribution_status FROM day.fact_workflow_sessions WHERE workflow_session_id = '{session}'"
    )
    assert status != "resolved"
    (link,) = [each for each in page(browser.get("/health")).links if each.startswith("/sessions/session")]
    assert session in page(browser.get(link)).text


def test_a_check_is_shown_even_if_its_records_cannot_be_read(opened: Open, sources: ConsoleSources) -> None:
    class Away:
        def rows(self, *arguments: object, **named: object) -> object:
            raise SinkUnavailable("the database is away: ask again")

    browser = opened(attrs.evolve(sources, health=lambda: failed("dlq_rate"), database=Away()))
    assert "A bad thing" in page(browser.get("/health")).text
    assert browser.get("/health.json").json()["newest"] == {}


def failed(check: str) -> HealthReport:
    return HealthReport([CheckResult(attrs.evolve(BAD, name=check), FOUND, 0.1, 1)])


def test_a_trend_is_a_line_and_words(opened: Open, sources: ConsoleSources) -> None:
    values = [Measured(0, 0.1), Measured(600_000, 0.25)]
    found = attrs.evolve(sources, health=lambda: failed("bad"), trends=lambda: {"bad": values, "gone": values})
    browser = opened(found)
    content = browser.get("/health.json").json()
    assert content["trends"] == {
        "bad": {
            "values": [[0, 0.1], [600_000, 0.25]],
            "line": line(values),
            "words": "up from 10 % 10 min before",
        }
    }
    shown = page(browser.get("/health"))
    assert "Trend up from 10 % 10 min before" in shown.text
    assert [each["points"] for tag, each in shown.elements if tag == "polyline"] == [line(values)]


def test_words_say_where_a_value_went() -> None:
    assert words([Measured(0, 1)], "") == ""
    assert (
        words([Measured(0, 3), Measured(1, 9), Measured(7_200_000, 1)], "minutes") == "down from 3 minutes 2 h before"
    )
    assert words([Measured(0, 3), Measured(60_000, 3)], "") == "steady after 1 min"
    assert words([Measured(0, 3), Measured(1, 9), Measured(60_000, 3)], "") == "the same again after 1 min"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=2, max_size=20))
def test_a_line_stays_in_its_box(values: list[float]) -> None:
    points = [tuple(map(float, each.split(","))) for each in line([*map(Measured, range(20), values)]).split()]
    assert len(points) == len(values)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_trends_keep_the_newest_values_and_only_values() -> None:
    trends = Trends()
    assert line([]) == ""
    for number in range(MOST + 5):
        trends.hear([CheckResult(BAD, attrs.evolve(FOUND, value=number), 0.1, number)])
    trends.hear([CheckResult(BAD, attrs.evolve(FOUND, value=None), 0.1, 9_999)])
    known = trends.known()["bad"]
    assert (len(known), known[0].value, known[-1].value) == (MOST, 5, MOST + 4)


def context(*checks: HealthCheck) -> Any:
    return SimpleNamespace(
        settings=Settings(), plugins=SimpleNamespace(health_checks=lambda: checks, event_types=lambda: ())
    )


def test_a_check_that_hangs_does_not_make_others_look_as_if_they_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpa_ops.console.monitor._ROUND_SECONDS", 0.5)
    monkeypatch.setattr("lpa_ops.console.monitor._TURN_SECONDS", 0.02)
    released = threading.Event()

    def hangs(scope: Scope) -> Finding:
        released.wait(10)
        return Finding(State.OK, "")

    some = [HealthCheck(f"fine {number}", "Fine", lambda scope: Finding(State.OK, "")) for number in range(3)]
    report = asked_now(*shared_checks(context(HealthCheck("hangs", "Hangs", hangs), *some), None))()
    released.set()
    assert [result.finding.state for result in report.results] == [State.CRITICAL, *[State.OK] * 3]


def test_checks_of_an_embedded_database_take_turns_and_those_of_a_server_do_not() -> None:
    meeting = threading.Barrier(2)

    def meets(scope: Scope) -> Finding:
        meeting.wait(0.2 if scope.sink is None else 10)
        return Finding(State.OK, "")

    both = context(*(HealthCheck(name, "Meets", meets) for name in ("one", "other")))
    report = asked_now(*shared_checks(both, "clickhouse://server:8123/x"))()
    assert report.state is State.OK
    report = asked_now(*shared_checks(both, None))()
    assert "BrokenBarrierError" in report.results[0].finding.detail


def test_a_check_that_was_not_asked_in_the_last_round_says_when_it_was(opened: Open, sources: ConsoleSources) -> None:
    now = CheckResult(attrs.evolve(BAD, name="now"), FOUND, 0.1, 1_767_960_000_000)
    before = attrs.evolve(now, check=attrs.evolve(BAD, name="before"), checked_ms=1_767_960_000_000 - 3_600_000)
    fine = attrs.evolve(before, check=attrs.evolve(BAD, name="fine"), finding=Finding(State.OK, "all"))
    found = page(opened(attrs.evolve(sources, health=lambda: HealthReport([now, before, fine]))).get("/health"))
    assert found.text.count("asked at 2026-01-09 11:00:00") == 2
    assert found.text.count("2026-01-09 12:00:00") == 1


def test_checks_are_asked_only_while_somebody_looks() -> None:
    asked: list[int] = []
    check = HealthCheck("bad", "A bad thing", lambda scope: asked.append(1) or Finding(State.OK, "all", len(asked)))
    watch = HealthWatch(CheckRunner([check], Settings(), 10), lambda: Scope(Settings(), 2, 1), 0.01)
    time.sleep(0.05)
    assert not asked
    until = time.monotonic() + 10
    while len(watch.trends().get("bad", ())) < 2:
        watch.latest()
        assert time.monotonic() < until
        time.sleep(0.01)
    assert watch.latest().state is State.OK
    watch.close()
