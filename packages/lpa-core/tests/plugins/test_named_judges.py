"""Health checks and start checks of plugins: an error or a wrong answer of one names its plugin."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest
from structlog.testing import capture_logs

from lpa_core.doctor.examination import Examination, StartState
from lpa_core.doctor.start_check import PlannedStart
from lpa_core.health.check import Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State

Install = Callable[..., EntryPoint]

CHECKS = """
from lpa_core.plugin import ConfigurationError, Finding, HealthCheck, NotApplicable, StartCheck, State, hookimpl

def judge(about):
    BODY

@hookimpl
def lpa_health_checks(): return [HealthCheck("rack_heat", "Heat", judge, severity=State.WARNING)]
@hookimpl
def lpa_start_checks(): return [StartCheck("rack_heat", "Heat", judge)]
"""
START = PlannedStart(Settings(), None, (), "memory://", None, kafka=False, event_types=())
FAULTS = {
    "raises": ("1 / 0", "raised ZeroDivisionError: division by zero"),
    "raises in two lines": ("raise OSError('no\\ndisk')", "raised OSError: no disk"),
    "exits": ("raise SystemExit(3)", "raised SystemExit: 3"),
    "no finding": ("return True", "answered True: it must return a Finding, or raise NotApplicable"),
    "no state": ("return Finding('ok', '')", "answered 'ok' as its state: it must be one of State"),
}


def brought(install: Install, body: str) -> PluginManager:
    return PluginManager(Settings(), [install("lpa-rack-heat", CHECKS.replace("BODY", body), plugin="rack-heat")])


@pytest.mark.parametrize(("body", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_failure_30_a_health_check_that_fails_names_its_plugin_and_how_to_leave_it_out(
    body: str, said: str, install: Install
) -> None:
    checks = brought(install, body).health_checks()
    with capture_logs() as logs:
        (result,) = CheckRunner(checks, Settings(), 30).run(Scope(Settings(), 2, 1))
    finding = result.finding
    begin = "could not be judged: plugin rack-heat of lpa-rack-heat: lpa_health_checks: the check rack_heat "
    assert finding.detail == begin + said
    left_out = "correct lpa-rack-heat, or leave the check out until then: HEALTH_CHECKS_DISABLED=rack_heat"
    assert finding.action.startswith(left_out)
    assert finding.state is State.WARNING
    shown = [each["exception"] for each in logs if each["event"] == "how the plugin broke"]
    assert bool(shown) == said.startswith("raised ") == ("LPA_LOG_LEVEL=debug" in finding.action)
    assert all("in judge" in each for each in shown), "the traceback leads to the plugin's function"


@pytest.mark.parametrize(("body", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_failure_30_a_start_check_that_fails_names_its_plugin_and_how_to_leave_it_out(
    body: str, said: str, install: Install
) -> None:
    (result,) = Examination(brought(install, body).start_checks(START), START).run()
    assert result.detail == f"plugin rack-heat of lpa-rack-heat: lpa_start_checks: the check rack_heat {said}"
    assert result.action.startswith("correct lpa-rack-heat, or set LPA_PLUGINS_DISABLED=rack-heat")
    assert result.state is StartState.FAILED


@pytest.mark.parametrize(
    ("body", "said", "state"),
    [
        ("return Finding(State.OK, 'cool')", "cool", State.OK),
        ("raise NotApplicable('no sensor')", "no sensor", State.NOT_APPLICABLE),
        ("raise ConfigurationError('no url: set url')", "could not be judged: no url: set url", State.WARNING),
    ],
)
def test_what_a_plugins_check_says_itself_is_shown_as_it_said_it(
    body: str, said: str, state: State, install: Install
) -> None:
    (result,) = CheckRunner(brought(install, body).health_checks(), Settings(), 30).run(Scope(Settings(), 2, 1))
    assert (result.finding.detail, result.finding.state) == (said, state)
