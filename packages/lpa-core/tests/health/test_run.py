"""Running checks: what one of them does wrong is its own failure, and stays so."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest

from lpa_core.health.check import Figure, Finding, HealthCheck, NotApplicable, Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.report import HealthReport, worst_first
from lpa_core.metrics import Metrics
from lpa_core.settings.health import HealthSettings
from lpa_core.settings.loading import SettingsError
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State, Thresholds

SCOPE = Scope(Settings(), now_ms=1_700_000_000_000, since_ms=1_699_999_000_000)
WELL = Finding(State.OK, "all is well", 1.0, Thresholds(2, 3))


def check(name: str, judge: Callable[[Scope], Finding], severity: State = State.CRITICAL) -> HealthCheck:
    return HealthCheck(name, name.capitalize(), judge, "records", severity, runbook=f"docs#{name}")


def raising(error: BaseException) -> Callable[[Scope], Finding]:
    def judge(scope: Scope) -> Finding:
        raise error

    return judge


def run(*checks: HealthCheck, timeout: float = 30.0) -> HealthReport:
    return HealthReport(CheckRunner(checks, Settings(), timeout).run(SCOPE))


def test_results_come_in_the_order_of_the_checks() -> None:
    report = run(check("one", lambda scope: WELL), check("two", lambda scope: WELL))
    assert [result.check.name for result in report.results] == ["one", "two"]
    assert report.state is State.OK


@pytest.mark.parametrize(
    "error", [RuntimeError("a line\nand another"), SystemExit("leave"), KeyboardInterrupt("leave")]
)
def test_a_check_that_raises_has_failed_and_the_others_have_not(error: BaseException) -> None:
    broken, other = run(check("broken", raising(error)), check("other", lambda scope: WELL)).results
    assert broken.finding.state is State.CRITICAL
    assert broken.finding.detail.startswith(f"could not be judged: {type(error).__name__}: ")
    assert "\n" not in broken.finding.detail
    assert broken.finding.action
    assert other.finding == WELL


class Unreadable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


class OwnNumber(float):
    """As a library may have its own."""


def valued(value: object, thresholds: object = None) -> Callable[[Scope], Finding]:
    return lambda scope: Finding(State.OK, "found", value, thresholds)  # type: ignore[arg-type]


def figured(value: object, gateway: object = "") -> Callable[[Scope], Finding]:
    figure = Figure("requested", value, gateway)  # type: ignore[arg-type]
    return lambda scope: Finding(State.OK, "found", figures=[figure])


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        (valued("many"), "answered 'many' as its value: it must be a finite number"),
        (valued(math.nan), "answered nan as its value: it must be a finite number"),
        (valued(-math.inf), "answered -inf as its value: it must be a finite number"),
        (valued(10**400), "as its value: it must be a finite number"),
        (valued([1]), "answered [1] as its value: it must be a finite number"),
        (valued(1, (1, 2)), "answered (1, 2) as its thresholds: they must be Thresholds, or None"),
        (valued(1, Thresholds(1, math.nan)), "answered nan as its threshold: it must be a finite number"),
        (lambda scope: None, "answered None: it must return a Finding, or raise NotApplicable"),
        (lambda scope: "all is well\n" * 99, "answered 'all is well"),
        (lambda scope: Finding("ok", "found"), "answered 'ok' as its state: it must be one of State"),
        (lambda scope: Finding(State.OK, None), "answered None as its detail: it must be text"),
        (lambda scope: Finding(State.OK, "found", figures=[1]), "answered 1 among its figures: each must be a Figure"),
        (figured(math.nan), "answered nan as its figure: it must be a finite number"),
        (figured(1, b"g"), "answered b'g' as its figure's gateway: it must be text"),
        (lambda scope: Finding(State.OK, "found", action=1), "answered 1 as its action: it must be text"),
    ],
)
def test_a_check_that_answers_what_is_no_finding_has_failed_and_the_others_have_not(
    judge: Callable[[Scope], Finding], said: str
) -> None:
    report = run(check("broken", judge), check("other", lambda scope: WELL))
    broken, other = report.results
    assert broken.finding.state is State.CRITICAL
    assert broken.finding.detail.startswith("could not be judged: the check broken answered ")
    assert said in broken.finding.detail
    assert len(broken.finding.detail.splitlines()) == 1
    assert broken.finding.action.endswith("HEALTH_CHECKS_DISABLED=broken")
    assert other.finding == WELL
    Metrics().health(report.results)


@pytest.mark.parametrize("value", [OwnNumber(2.5), Decimal("2.5"), 2**70, True, None])
def test_whatever_is_a_number_or_none_is_a_value(value: Any) -> None:
    report = run(check("figure", valued(value)))
    assert report.results[0].finding.state is State.OK
    assert json.loads(msgspec.json.encode(report.as_json()))["checks"][0]["value"] == value


def test_text_that_cannot_be_written_and_a_message_that_cannot_be_read_take_nothing_down() -> None:
    report = run(
        check("file", lambda scope: Finding(State.OK, "found \udcff")),
        check("absent", raising(NotApplicable("no \udcff"))),
        check("broken", raising(Unreadable())),
    )
    assert [result.finding.detail for result in report.results] == [
        "found \\udcff",
        "no \\udcff",
        "could not be judged: Unreadable: its message cannot be read",
    ]
    assert msgspec.json.encode(report.as_json())


def test_a_check_that_fails_itself_is_as_bad_as_it_says() -> None:
    report = run(check("broken", raising(ValueError("x")), State.WARNING))
    assert report.state is State.WARNING


def test_a_check_that_hangs_is_reported_in_time_and_not_asked_again_before_it_ends() -> None:
    release, asked = threading.Event(), []

    def hang(scope: Scope) -> Finding:
        asked.append(scope)
        release.wait()
        return WELL

    runner = CheckRunner([check("hanging", hang), check("other", lambda scope: WELL)], Settings(), 0.05)
    for _ in range(2):
        hanging, other = runner.run(SCOPE)
        assert hanging.finding.state is State.CRITICAL
        assert hanging.finding.detail.startswith("no answer after ")
        assert other.finding == WELL
    assert len(asked) == 1
    assert runner.hanging == ("hanging",)
    release.set()
    for thread in threading.enumerate():
        if thread.name == "health hanging":
            thread.join()
    (found, _) = runner.run(SCOPE)
    assert found.finding == WELL
    assert len(asked) == 2, "asked again once it had ended"
    assert runner.hanging == ()


def test_a_costly_check_may_take_longer_than_others() -> None:
    release = threading.Event()

    def hang(scope: Scope) -> Finding:
        release.wait()
        return WELL

    def outlast(scope: Scope) -> Finding:
        while not runner.hanging:
            time.sleep(0.01)
        time.sleep(0.3)
        return WELL

    settings = Settings(health=HealthSettings(timeout_seconds=1, costly_timeout_seconds=10))
    runner = CheckRunner([check("plain", hang), attrs.evolve(check("costly", outlast), costly=True)], settings)
    plain, costly = runner.run(SCOPE)
    release.set()
    assert plain.finding.detail.startswith("no answer after 1.")
    assert costly.finding == WELL


def test_what_cannot_be_judged_is_not_green() -> None:
    report = run(check("facts", raising(NotApplicable("there are no facts"))))
    assert report.state is State.NOT_APPLICABLE
    assert report.results[0].finding.detail == "there are no facts"
    assert run(check("facts", raising(NotApplicable("x"))), check("other", lambda scope: WELL)).state is State.OK


def test_a_check_that_is_switched_off_is_not_asked_and_not_green() -> None:
    settings = Settings(health=HealthSettings(checks_disabled=("broken",)))
    runner = CheckRunner([check("broken", raising(RuntimeError("asked")))], settings)
    (result,) = runner.run(SCOPE)
    assert result.finding.state is State.NOT_APPLICABLE
    assert "HEALTH_CHECKS_DISABLED" in result.finding.detail


def test_a_name_that_is_no_check_cannot_be_switched_off() -> None:
    settings = Settings(health=HealthSettings(checks_disabled=("dsik",)))
    with pytest.raises(
        SettingsError, match="HEALTH_CHECKS_DISABLED=dsik: there is no such health check; there are disk"
    ):
        CheckRunner([check("disk", lambda scope: WELL)], settings)


def test_the_worst_state_is_the_report_s() -> None:
    findings = {state: attrs.evolve(WELL, state=state) for state in State}
    checks = [check(state.name.lower(), lambda scope, state=state: findings[state]) for state in State]
    assert run(*checks).state is State.CRITICAL
    assert [result.finding.state for result in worst_first(run(*checks).results)] == [
        State.CRITICAL,
        State.WARNING,
        State.NOT_APPLICABLE,
        State.OK,
    ]


def test_a_report_as_json_has_the_value_its_thresholds_and_the_runbook() -> None:
    (shown,) = run(check("lag", lambda scope: WELL)).as_json()["checks"]
    assert {name: shown[name] for name in ("name", "state", "value", "unit", "warning", "critical", "runbook")} == {
        "name": "lag",
        "state": "ok",
        "value": 1.0,
        "unit": "records",
        "warning": 2,
        "critical": 3,
        "runbook": "docs#lag",
    }
    assert shown["checked"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize(
    ("thresholds", "states"),
    [
        (Thresholds(10, 20), {10: State.OK, 11: State.WARNING, 20: State.WARNING, 21: State.CRITICAL}),
        (
            Thresholds(0.2, 0.1, falling=True),
            {0.2: State.OK, 0.15: State.WARNING, 0.1: State.WARNING, 0: State.CRITICAL},
        ),
        (Thresholds(0, 0), {0: State.OK, 1: State.CRITICAL}),
    ],
)
def test_a_value_is_worse_beyond_its_thresholds(thresholds: Thresholds, states: dict[float, State]) -> None:
    assert {value: thresholds.judge(value) for value in states} == states
