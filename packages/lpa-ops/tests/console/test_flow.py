"""The first page: what became of the records, and since when something is wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import pairwise

import attrs
import pytest
from starlette.testclient import TestClient

from lpa_core.health.check import CheckResult, Finding, HealthCheck
from lpa_core.health.report import HealthReport
from lpa_core.settings.health import HealthSettings
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State
from lpa_core.sinks.sink import SinkUnavailable
from lpa_ops.console.backups import KnownBackups, known_backups
from lpa_ops.console.flow import OUTCOMES, unwell_since
from lpa_ops.console.page import ConsoleSources
from lpa_ops.console.text import age
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_ops.testing.page_text import page


def test_every_record_of_the_window_is_counted_once(browser: TestClient, day: CheckedDatabase) -> None:
    content = browser.get("/flow.json?since=7d").json()
    stored = {
        "accepted": "day.streaming_events",
        "dead_lettered": "day.streaming_events_dlq",
        "quarantined": "day.streaming_events_quarantine",
    }
    for name, table in stored.items():
        assert content["totals"][name] == day.query(f"SELECT count() FROM {table}")[0][0] > 0
    assert content["totals"]["read"] == sum(content["totals"][name] for name in OUTCOMES)
    for name in ("read", *OUTCOMES):
        assert content["totals"][name] == sum(each[name] for each in content["steps"])
    starts = [each["start_ms"] for each in content["steps"]]
    assert len(starts) <= 121
    assert all(after - before == content["step_ms"] for before, after in pairwise(starts))


def test_the_page_says_what_its_twin_says(browser: TestClient) -> None:
    content = browser.get("/flow.json").json()
    found = page(browser.get("/flow"))
    assert f"Read {content['totals']['read']:,}" in found.text
    assert "20260108T120000Z" in found.text, "the backup is marked"
    (row,) = [attributes for _, attributes in found.elements if attributes.get("data-letter") == "B"]
    assert int(str(row["data-ms"])) == content["marks"][0]["at_ms"]
    assert len([each for each in found.elements if "data-series" in each[1]]) == 2


def test_its_rejects_are_those_of_the_page_that_they_lead_to(browser: TestClient) -> None:
    content = browser.get("/flow.json?since=23h").json()
    link = f"/failures?since={content['since_ms']}"
    assert link in page(browser.get("/flow?since=23h")).links
    assert browser.get(link.replace("?", ".json?")).json()["total"] == content["totals"]["dead_lettered"] > 0


def test_marks_that_are_left_out_are_told(
    opened: Callable[..., TestClient], sources: ConsoleSources, day: CheckedDatabase
) -> None:
    backups = [(day.now_ms - 1 - number, f"backup {number}") for number in range(201)]
    browser = opened(attrs.evolve(sources, backups=lambda: KnownBackups(backups)))
    content = browser.get("/flow.json").json()
    assert ([each["name"] for each in content["marks"]], content["more_marks"]) == (
        [name for _, name in backups[:200]],
        True,
    )
    assert "These are the newest 200." in page(browser.get("/flow")).text


def test_the_rate_says_of_which_time_it_is(browser: TestClient, day: CheckedDatabase) -> None:
    content = browser.get("/flow.json?since=7d").json()
    assert content["step_ms"] / 1000 < content["rate_seconds"] <= 2 * content["step_ms"] / 1000
    read = sum(each["read"] for each in content["steps"][-2:])
    assert content["read_per_second"] == pytest.approx(read / content["rate_seconds"])
    assert f" a second in the last {age(content['rate_seconds'])}" in page(browser.get("/flow?since=7d")).text
    past = page(browser.get(f"/flow?until={day.now_ms - 3_600_000}")).text
    assert " a second in its last " in past
    assert " a second in the last " not in past


def test_backups_that_cannot_be_listed_are_not_none(
    opened: Callable[..., TestClient], sources: ConsoleSources, day: CheckedDatabase
) -> None:
    lpa = attrs.evolve(day.settings.lpa, backup_dir="http://nowhere/backups")
    known = known_backups(attrs.evolve(day.settings, lpa=lpa), None)
    assert known().backups == ()
    browser = opened(attrs.evolve(sources, backups=known))
    found = page(browser.get("/flow?since=1h"))
    assert "No replay or deployment in this time. Backups are not known:" in found.text
    assert "http://nowhere/backups" in browser.get("/flow.json").json()["backups_unknown"]


def test_nobody_waits_while_another_lists_backups(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, released = threading.Event(), threading.Event()

    def listed(*_: object) -> list[object]:
        begun.set()
        released.wait(10)
        return []

    monkeypatch.setattr("lpa_ops.console.backups.backups_of", listed)
    known = known_backups(Settings(), None)
    first = threading.Thread(target=known)
    first.start()
    assert begun.wait(10)
    assert known().unknown == "they are being listed"
    released.set()
    first.join()
    assert known().unknown == ""


def test_a_window_without_records_says_so(browser: TestClient, day: CheckedDatabase) -> None:
    found = page(browser.get(f"/flow?since={day.now_ms - 9 * 86_400_000}&until={day.now_ms - 8 * 86_400_000}"))
    assert "No record arrived in this time" in found.text
    assert not [each for each in found.elements if "data-series" in each[1]]


@pytest.mark.parametrize("window", ["", "since=7d", "since=2020-01-01&until=2020-01-02"])
def test_the_latest_arrival_is_told_whatever_the_window(browser: TestClient, day: CheckedDatabase, window: str) -> None:
    ((latest,),) = day.query("SELECT toUnixTimestamp64Milli(max(ingestion_timestamp)) FROM day.streaming_events")
    assert browser.get(f"/flow.json?{window}").json()["latest_arrival_ms"] == latest


@pytest.mark.parametrize("since", ["yesterday", "2999-01-01", "1900-01-01", "1h&until=2h", "<script>"])
def test_a_wrong_time_is_refused(browser: TestClient, since: str) -> None:
    assert page(browser.get(f"/flow?since={since}"), 400).text.count("since") >= 1
    assert browser.get(f"/flow.json?since={since}").json()["status"] == 400


def test_what_fails_is_on_the_first_page(opened: Callable[..., TestClient], sources: ConsoleSources) -> None:
    check = HealthCheck("bad", "A bad thing", lambda scope: Finding(State.OK, ""))
    report = HealthReport([CheckResult(check, Finding(State.CRITICAL, "it is bad", action="x"), 0.1, 1)])
    found = page(opened(attrs.evolve(sources, health=lambda: report)).get("/flow"))
    assert "Something is wrong" in found.text
    assert "A bad thing : it is bad" in found.text or "A bad thing: it is bad" in found.text
    assert "/health#bad" in found.links


def step(start: int, read: int, dead: int = 0, ignored: int = 0) -> Mapping[str, int]:
    return {"start_ms": start, "read": read, "dead_lettered": dead, "quarantined": 0, "ignored": ignored}


def test_unwell_since_is_the_first_of_the_latest_bad_steps() -> None:
    settings = HealthSettings()
    assert unwell_since([step(1, 100)], settings) is None
    assert unwell_since([], settings) is None
    assert unwell_since([step(1, 100, 9), step(2, 100), step(3, 100, 9), step(4, 0), step(5, 100, 2)], settings) == 3
    assert unwell_since([step(1, 100, 9), step(2, 100)], settings) is None
    assert unwell_since([step(1, 300, 1, 250)], settings) == 1, "ignored records are no part of the share"


def test_a_database_that_is_away_is_told(opened: Callable[..., TestClient], sources: ConsoleSources) -> None:
    class Away:
        name = "away"

        def rows(self, *arguments: object, **named: object) -> object:
            raise SinkUnavailable("the database is away: ask again")

    broken = opened(attrs.evolve(sources, database=Away()))
    assert "the database is away: ask again" in page(broken.get("/flow"), 503).text
    assert broken.get("/flow.json").json()["detail"] == "the database is away: ask again"
