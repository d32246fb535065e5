"""How a running job keeps up with its health."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from structlog.testing import capture_logs

from lpa_core.health.check import CheckResult, Finding, HealthCheck, NotApplicable, Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.monitor import COSTLY_EVERY, SELDOM, HealthMonitor
from lpa_core.metrics import Metrics
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State, Thresholds

SCOPE = Scope(Settings(), now_ms=1_700_000_000_000, since_ms=1_699_999_000_000)


def monitor(
    *checks: HealthCheck, hear: Callable[[Sequence[CheckResult]], object] = lambda results: None
) -> HealthMonitor:
    return HealthMonitor(CheckRunner(checks, Settings(), 30), lambda: SCOPE, hear, 60)


def test_before_the_first_round_nothing_is_green() -> None:
    report = monitor(HealthCheck("one", "One", lambda scope: Finding(State.OK, ""))).latest()
    assert (report.state, report.results) == (State.NOT_APPLICABLE, [])


def test_costly_checks_are_asked_more_seldom_and_their_results_kept() -> None:
    asked = {"cheap": 0, "costly": 0}

    def count(name: str) -> HealthCheck:
        def judge(scope: Scope) -> Finding:
            asked[name] += 1
            return Finding(State.OK, "")

        return HealthCheck(name, name, judge, costly=name == "costly")

    watching = monitor(count("cheap"), count("costly"))
    for _ in range(COSTLY_EVERY):
        watching.look()
        assert len(watching.latest().results) == 2
    assert asked == {"cheap": COSTLY_EVERY, "costly": 1}
    watching.look()
    assert asked["costly"] == 2


@pytest.mark.parametrize(("seconds", "rounds"), [(0, COSTLY_EVERY), (4, COSTLY_EVERY), (9, 30), (900, SELDOM)])
def test_costly_checks_that_take_long_rest_for_longer(seconds: float, rounds: int) -> None:
    now, asked = [0.0], []

    def judge(scope: Scope) -> Finding:
        now[0] += seconds
        asked.append(now[0])
        return Finding(State.OK, "")

    checks = CheckRunner([HealthCheck("one", "One", judge, costly=True)], Settings(), 30)
    watching = HealthMonitor(checks, lambda: SCOPE, lambda results: None, 60, lambda: now[0])
    for _ in range(2 * rounds):
        watching.look()
    assert len(asked) == 2
    watching.look()
    assert len(asked) == 3


def test_a_change_is_logged_once() -> None:
    states = iter([State.OK, State.CRITICAL, State.CRITICAL, State.OK])
    watching = monitor(HealthCheck("one", "One", lambda scope: Finding(next(states), "")))
    with capture_logs() as logs:
        for _ in range(4):
            watching.look()
    assert [line["state"] for line in logs] == ["ok", "critical", "ok"]


def test_the_thread_outlives_a_round_that_fails() -> None:
    troubles = [RuntimeError("no\nscope"), ValueError("nobody listens")]
    heard = threading.Event()

    def scope() -> Scope:
        if len(troubles) == 2:
            raise troubles.pop(0)
        return SCOPE

    def hear(results: Sequence[CheckResult]) -> None:
        if troubles:
            raise troubles.pop(0)
        heard.set()

    checks = [HealthCheck("wrong", "Wrong", lambda scope: Finding(State.OK, "", float("nan")))]
    watching = HealthMonitor(CheckRunner(checks, Settings(), 30), scope, hear, 0.001)
    with capture_logs() as logs:
        watching.start()
        assert heard.wait(30)
        watching.close()
    errors = [line["error"] for line in logs if line["event"] == "health was not checked"]
    assert errors == ["RuntimeError: no scope", "ValueError: nobody listens"]
    assert watching.latest().state is State.CRITICAL


def test_metrics_tell_state_value_thresholds_and_time() -> None:
    def absent(scope: Scope) -> Finding:
        raise NotApplicable("nothing there")

    metrics = Metrics()
    finding = Finding(State.WARNING, "", 2.5, Thresholds(2, 3))
    checks = (HealthCheck("lag", "Lag", lambda scope: finding), HealthCheck("absent", "Absent", absent))
    monitor(*checks, hear=metrics.health).look()

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"lpa_health_{name}", labels)

    states = {state: value("check_state", check="lag", state=state) for state in State}
    assert states == {State.OK: 0, State.NOT_APPLICABLE: 0, State.WARNING: 1, State.CRITICAL: 0}
    assert value("check_state", check="absent", state="not applicable") == 1
    assert value("check_value", check="lag") == 2.5
    assert value("check_threshold", check="lag", state="warning") == 2
    assert value("check_threshold", check="lag", state="critical") == 3
    assert value("check_threshold", check="absent", state="critical") is None
    assert value("checked_timestamp_seconds", check="lag") == 1_700_000_000
