"""``lpa health``: what it prints, how it ends, and that nothing a check does can hold it up."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from lpa_core.cli import run
from lpa_core.health.check import CheckResult, Finding, Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.settings.loading import described
from lpa_core.settings.thresholds import State, Thresholds
from lpa_ops.commands import health as command
from lpa_ops.health.checks import CHECKS
from lpa_ops.testing.checked_database import CheckedDatabase

HANGING = """
import threading
from lpa_core.health.check import Finding, HealthCheck
from lpa_core.plugins.hookspecs import hookimpl

@hookimpl
def lpa_health_checks(settings):
    return [
        HealthCheck("hanging", "Hanging", lambda scope: threading.Event().wait()),
        HealthCheck("raising", "Raising", lambda scope: 1 / 0),
    ]
"""

WRONG = """
from lpa_core.health.check import Finding, HealthCheck
from lpa_core.settings.thresholds import State
from lpa_core.plugins.hookspecs import hookimpl

def check(name, answer):
    return HealthCheck(name, name, lambda scope: answer)

@hookimpl
def lpa_health_checks(settings):
    values = {"text": "many", "nan": float("nan"), "inf": float("inf")}
    return [check("nothing", None), *(check(name, Finding(State.OK, "", value)) for name, value in values.items())]
"""


@pytest.fixture(autouse=True)
def _defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for setting in described():
        monkeypatch.delenv(setting.variable, raising=False)
    yield
    structlog.reset_defaults()  # a command sets up logging


@pytest.fixture
def arguments(day: CheckedDatabase, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setenv("CLICKHOUSE_DATABASE", day.settings.clickhouse.database)
    # What is free on the machine says nothing about the command; parity is asked of the same day elsewhere.
    monkeypatch.setenv("HEALTH_CHECKS_DISABLED", "api_view_parity,disk")
    return ("--sink", day.sink)


def test_all_is_green_on_a_healthy_day(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "--json", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["state"] == "ok"
    assert [check["name"] for check in report["checks"]] == [check.name for check in CHECKS]
    assert {check["name"] for check in report["checks"] if check["state"] == "ok"} >= {"dlq_rate", "conservation"}
    lag = next(check for check in report["checks"] if check["name"] == "consumer_lag")
    assert (lag["state"], lag["detail"]) == ("not applicable", "no Kafka is configured: events come from files")


def test_a_critical_check_ends_it_with_1_and_says_what_to_do(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTH_DLQ_SHARE", "0,0")
    assert run(["health", *arguments]) == 1
    shown = capsys.readouterr().out
    critical, _, others = shown.partition("\n\n")
    assert critical.startswith("critical: 1\ndlq_rate: Dead letters\n"), "what is worst comes first"
    to_do = " ".join(critical.partition("  to do ")[2].partition("  see ")[0].split())
    assert to_do == f"`lpa triage --since 24h {shlex.join(arguments)}` shows the reasons and samples"
    assert critical.endswith("  see     docs/operations/health.md#dlq-rate")
    assert others.index("not applicable: ") < others.index("ok: ")
    assert "were dead-lettered" not in others, "what is ok takes a row"
    assert shown.rstrip().endswith("health: critical")


def test_where_no_database_is_nothing_is_green_by_accident(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEALTH_CHECKS_DISABLED", "disk")
    assert run(["health", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["state"] == "not applicable"
    assert {check["state"] for check in report["checks"]} == {"not applicable"}


WRONG_BEGINNINGS = {
    "yesterday": "this is not a time: write how long before now, such as 90s, 15m, 2h, 7d or 1w",
    "2999-01-01": "a time must be between 1900 and 2299",
    "2200-01-01": "2200-01-01T00:00:00.000Z is not in the past",
    "30000d": "this reaches too far back, not before 1971-01-01",
    "1969-01-01": "this reaches too far back, not before 1971-01-01",
}


@pytest.mark.parametrize("command", ["health", "release-check"])
@pytest.mark.parametrize(("text", "said"), WRONG_BEGINNINGS.items())
def test_a_beginning_that_is_none_is_wrong_usage(
    command: str, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--since", text]) == 2
    assert capsys.readouterr().err.startswith(f"lpa: --since={text}: {said}")


@pytest.mark.parametrize("variable", ["HEALTH_WINDOW_HOURS", "HEALTH_TIMEOUT_SECONDS"])
def test_a_setting_beyond_its_bounds_is_named_with_them(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, "99999999999999999999")
    assert run(["health"]) == 2
    error = capsys.readouterr().err
    assert f"{variable}='99999999999999999999': expected a whole number of " in error
    assert ", at most " in error


def test_the_widest_window_and_the_longest_wait_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_WINDOW_HOURS", "87600")
    monkeypatch.setenv("HEALTH_TIMEOUT_SECONDS", "86400")
    monkeypatch.setenv("HEALTH_CHECKS_DISABLED", "disk")
    assert run(["health"]) == 0
    assert run(["health", "--since", "1971-01-01"]) == 0


def _lpa(*arguments: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [Path(sys.executable).with_name("lpa"), *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _installed(source: str, site: Path) -> str:
    """The folder of a plugin, for PYTHONPATH."""
    information = site / "checks-1.dist-info"
    information.mkdir(parents=True)
    (site / "checks_of_others.py").write_text(source)
    (information / "METADATA").write_text("Metadata-Version: 2.4\nName: checks\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[lpa]\nchecks = checks_of_others\n")
    return os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])


@pytest.mark.slow
def test_checks_that_hang_or_raise_are_reported_and_hold_nothing_up(tmp_path: Path) -> None:
    path = _installed(HANGING, tmp_path / "site")
    process = _lpa("health", "--json", folder=tmp_path, PYTHONPATH=path, HEALTH_TIMEOUT_SECONDS="1")
    shown, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, "")
    found = {check["name"]: check for check in json.loads(shown)["checks"]}
    assert found["hanging"]["state"] == "critical"
    assert found["hanging"]["detail"].startswith("no answer after 1.")
    assert found["raising"]["detail"] == (
        "could not be judged: plugin checks of checks: lpa_health_checks: the check raising raised ZeroDivisionError: "
        "division by zero"
    )
    assert found["disk"]["value"] is not None


@pytest.mark.parametrize("options", [("--json",), ()])
def test_checks_that_answer_wrongly_fail_themselves_and_not_the_run(options: tuple[str, ...], tmp_path: Path) -> None:
    path = _installed(WRONG, tmp_path / "site")
    process = _lpa("health", *options, folder=tmp_path, PYTHONPATH=path, COLUMNS="400")
    shown, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, "")
    for wrong in ("'many' as its value", "nan as its value", "inf as its value"):
        assert f"answered {wrong}: it must be a finite number" in shown
    assert "the check nothing answered None: it must return a Finding" in shown
    assert "HEALTH_CHECKS_DISABLED=nothing" in shown
    if options:
        found = {check["name"]: check for check in json.loads(shown, parse_constant=pytest.fail)["checks"]}
        assert {found[name]["state"] for name in ("text", "nan", "inf", "nothing")} == {"critical"}
        assert found["disk"]["value"] is not None, "the others are judged"


def test_watching_prints_a_line_each_time_until_it_is_interrupted(tmp_path: Path) -> None:
    process = _lpa("health", "--watch", "--json", folder=tmp_path)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["checks"]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors


@pytest.mark.parametrize("terminal", [True, False])
def test_watching_shows_a_report_each_time_until_it_is_interrupted(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = iter(
        [Finding(State.WARNING, "the first look", 2.5, Thresholds(2, 3), "do this"), Finding(State.OK, "the second")]
    )

    def look(runner: CheckRunner, scope: Scope) -> list[CheckResult]:
        finding = next(findings, None)
        if finding is None:
            raise KeyboardInterrupt
        return [CheckResult(runner.checks[0], finding, 0.1, scope.now_ms)]

    monkeypatch.setattr(CheckRunner, "run", look)
    monkeypatch.setattr(command, "_WATCH_SECONDS", 0)
    for name, value in {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TTY_COMPATIBLE", str(int(terminal)))
    with pytest.raises(SystemExit) as stopped:
        run(["health", "--watch", "--wide"])
    shown = capsys.readouterr()
    assert (stopped.value.code, shown.err) == (130, "")
    first, _, second = shown.out.partition("health: warning\n")
    assert first.endswith(
        f"warning: 1\n{CHECKS[0].name}: {CHECKS[0].title}\n"
        "  value   2.5 minutes\n"
        "  beyond  warning above 2, critical above 3\n"
        "  found   the first look\n"
        "  to do   do this\n"
        f"  see     {CHECKS[0].runbook}\n\n"
    )
    assert "the second" in second
    assert second.endswith("health: ok\n")
    assert ("\x1b[2J" in second) is terminal, "the one before is wiped off"
