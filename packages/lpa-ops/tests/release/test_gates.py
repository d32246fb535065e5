"""Each gate of the release list: what it lets through, what it does not, and what it cannot judge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import attrs
import pytest
import structlog

from lpa_core.cli import run as lpa
from lpa_core.health.check import Scope
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import described
from lpa_core.settings.settings import Settings
from lpa_ops.release import documentation, notes, parity, rollups, schema, tests
from lpa_ops.release.gate import CannotJudgeError, Gate, GateResult, GateState, Target
from lpa_ops.release.run import run
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase
from lpa_sinks.parity import Assertion, Severity

ROOT = Path(__file__).parents[4]
NOW = datetime(2026, 1, 8, 12, tzinfo=UTC)

REPORT = (
    '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="{errors}" '
    'failures="{failures}" skipped="{skipped}" tests="{tests}" timestamp="{time}"></testsuite></testsuites>'
)


@pytest.fixture(autouse=True)
def _defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for setting in described():
        monkeypatch.delenv(setting.variable, raising=False)
    yield
    structlog.reset_defaults()  # a command sets up logging


def target(folder: Path, *junit: Path, sink: str | None = None, settings: Settings | None = None) -> Target:
    settings = settings or Settings()
    now = int(NOW.timestamp() * 1000)
    scope = Scope(settings, now, now - 86_400_000, sink)
    return Target(settings, PluginManager(settings), version("lpa-ops"), folder, scope, junit)


def judged(gate: Gate, of: Target) -> GateResult:
    ((_, outcome),) = run([gate], of)
    return outcome


def report(
    folder: Path, name: str = "report.xml", tests: int = 5, failures: int = 0, errors: int = 0, skipped: int = 1,
    age: timedelta = timedelta(hours=1),
) -> Path:  # fmt: skip
    file = folder / name
    time = (NOW - age).isoformat()
    file.write_text(REPORT.format(tests=tests, failures=failures, errors=errors, skipped=skipped, time=time))
    return file


def test_reports_without_failures_pass_and_are_found_in_the_folder(tmp_path: Path) -> None:
    report(tmp_path)
    report(tmp_path, "report-integration.xml", tests=7)
    outcome = judged(tests.GATE, target(tmp_path))
    assert (outcome.verdict, outcome.detail) == (
        GateState.PASSED,
        "12 tests passed or were skipped (2), in 2 reports",
    )


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"failures": 1}, "1 of 5 tests failed"),
        ({"errors": 2}, "2 of 5 tests failed"),
        ({"tests": 0, "skipped": 0}, "no test was run"),
        ({"tests": 3, "skipped": 3}, "no test was run"),
        ({"age": timedelta(hours=25)}, "older than a day or than the last commit"),
    ],
)
def test_a_report_that_proves_nothing_fails(made: dict[str, object], said: str, tmp_path: Path) -> None:
    other = report(tmp_path, "fine.xml")
    bad = report(tmp_path, "bad.xml", **made)  # type: ignore[arg-type]
    outcome = judged(tests.GATE, target(tmp_path, other, bad))
    assert outcome.verdict is GateState.FAILED
    assert said in outcome.detail


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"age": timedelta(hours=-1)}, "its time 2026-01-08T13:00:00+00:00 is in the future"),
        ({"tests": -5}, "it counts -5 tests"),
        ({"failures": -1, "errors": 1}, "it counts -1 failures"),
        ({"errors": -1}, "it counts -1 errors"),
        ({"skipped": -3}, "it counts -3 skipped"),
        ({"skipped": 4, "failures": 2}, "6 of 5 tests failed or were skipped"),
        ({"skipped": 6}, "6 of 5 tests failed or were skipped"),
    ],
)
def test_a_report_that_cannot_be_is_not_judged(made: dict[str, object], said: str, tmp_path: Path) -> None:
    other = report(tmp_path, "fine.xml")
    bad = report(tmp_path, "bad.xml", **made)  # type: ignore[arg-type]
    outcome = judged(tests.GATE, target(tmp_path, other, bad))
    assert outcome.verdict is GateState.NOT_JUDGED
    assert outcome.detail == f"{bad} cannot be believed: {said}; run the tests again"


@pytest.mark.parametrize(
    "made", [{"age": timedelta(minutes=-4)}, {"tests": 5, "skipped": 5, "failures": 0}, {"failures": 4, "errors": 4}]
)
def test_what_can_be_is_judged(made: dict[str, object], tmp_path: Path) -> None:
    bad = report(tmp_path, "bad.xml", **made)  # type: ignore[arg-type]
    assert judged(tests.GATE, target(tmp_path, bad)).verdict is not GateState.NOT_JUDGED


def test_a_report_from_before_the_last_commit_is_stale(tmp_path: Path) -> None:
    environment = {**os.environ, "GIT_COMMITTER_DATE": NOW.isoformat(), "GIT_CONFIG_GLOBAL": os.devnull}
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "Begin"]):
        subprocess.run(["git", *command], cwd=tmp_path, env=environment, check=True)
    outcome = judged(tests.GATE, target(tmp_path, report(tmp_path)))
    assert outcome.verdict is GateState.FAILED
    assert "older than a day or than the last commit" in outcome.detail


@pytest.mark.parametrize("content", [None, "", "<testsuites/>", "<testsuite tests='many' timestamp='now'/>"])
def test_without_a_report_it_cannot_be_judged(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "report.xml").write_text(content)
    outcome = judged(tests.GATE, target(tmp_path))
    assert outcome.verdict is GateState.NOT_JUDGED
    assert "report" in outcome.detail


def test_the_schema_of_the_database_has_to_agree(day: CheckedDatabase, tmp_path: Path) -> None:
    of = target(tmp_path, sink=day.sink, settings=day.settings)
    before = judged(schema.GATE, of)
    day.run("ALTER TABLE day.discovery_results ADD COLUMN surplus String")
    outcome = judged(schema.GATE, of)
    day.run("ALTER TABLE day.discovery_results DROP COLUMN surplus")
    assert outcome.verdict is GateState.FAILED
    assert "discovery_results in a_day: column surplus String is not expected" in outcome.problems
    assert judged(schema.GATE, of) == before


@pytest.mark.slow
def test_parity_and_rollups_have_to_hold_for_the_window(day: CheckedDatabase, tmp_path: Path) -> None:
    of = target(tmp_path, sink=day.sink, settings=day.settings)
    of = attrs.evolve(of, scope=Scope(day.settings, day.now_ms, day.now_ms - 24 * HOUR_MS, day.sink))
    outcome = judged(parity.GATE, of)
    assert (outcome.verdict, outcome.problems) == (GateState.PASSED, ())
    rolled = "SELECT * FROM day.agg_session_performance_1h_versions"
    day.run(f"CREATE TABLE day.rolled ENGINE = MergeTree ORDER BY () AS {rolled}")
    day.run("TRUNCATE TABLE day.agg_session_performance_1h_versions")
    outcome = judged(rollups.GATE, of)
    day.run("INSERT INTO day.agg_session_performance_1h_versions SELECT * FROM day.rolled")
    day.run("DROP TABLE day.rolled SYNC")
    assert outcome.verdict is GateState.FAILED
    assert any(problem.startswith("hour_rollup_matches_samples: ") for problem in outcome.problems), outcome.problems
    assert judged(rollups.GATE, of).verdict is GateState.PASSED


@pytest.mark.parametrize(
    ("gate", "severity", "passes"),
    [
        (parity.GATE, Severity.FAIL, False),
        (parity.GATE, Severity.WARN, True),
        (rollups.GATE, Severity.FAIL, False),
        (rollups.GATE, Severity.WARN, False),
        (rollups.GATE, Severity.INFO, True),
    ],
)
def test_a_violated_assertion_is_judged_by_its_severity(
    gate: Gate, severity: Severity, passes: bool, day: CheckedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    violated = Assertion("mended", severity, (36,), "it was broken", "mend it", "SELECT 1")
    monkeypatch.setattr("lpa_sinks.parity.assertions", lambda: [violated])
    of = target(tmp_path, sink=day.sink, settings=day.settings)
    of = attrs.evolve(of, scope=Scope(day.settings, day.now_ms, day.now_ms - 24 * HOUR_MS, day.sink))
    outcome = judged(gate, of)
    assert outcome.verdict is (GateState.PASSED if passes else GateState.FAILED)
    assert outcome.problems == (() if passes else ("mended: it was broken (1 row)",))


@pytest.mark.parametrize(("covers", "verdict"), [(77, GateState.FAILED), (79, GateState.PASSED)])
def test_a_release_asks_for_conservation_and_not_for_freshness(
    covers: int, verdict: GateState, day: CheckedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    violated = Assertion("mended", Severity.FAIL, (covers,), "it was broken", "mend it", "SELECT 1")
    monkeypatch.setattr("lpa_sinks.parity.assertions", lambda: [violated])
    of = target(tmp_path, sink=day.sink, settings=day.settings)
    of = attrs.evolve(of, scope=Scope(day.settings, day.now_ms, day.now_ms - 24 * HOUR_MS, day.sink))
    assert judged(parity.GATE, of).verdict is verdict


def test_a_window_without_events_cannot_be_judged(day: CheckedDatabase, tmp_path: Path) -> None:
    of = target(tmp_path, sink=day.sink, settings=day.settings)
    for gate in (parity.GATE, rollups.GATE):
        outcome = judged(gate, of)
        assert outcome.verdict is GateState.NOT_JUDGED
        assert "no event from 2026-01-07 12:00" in outcome.detail


def test_the_documentation_of_this_repository_is_up_to_date() -> None:
    outcome = judged(documentation.GATE, target(ROOT))
    assert outcome.problems == ()
    assert outcome.verdict is GateState.PASSED


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Of the part of the repository that is judged."""
    root = tmp_path / "copy"
    for name in ("docs", "configs"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("README.md", ".env.template", "uv.lock"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "text", "said"),
    [
        ("docs/configuration.md", "| `HEALTH_DLQ_SHARE` |", "docs/configuration.md: the setting HEALTH_DLQ_SHARE"),
        (".env.template", "HEALTH_DLQ_SHARE=", ".env.template: the setting HEALTH_DLQ_SHARE"),
        ("docs/plugins.md", "### `lpa_sinks`", "docs/plugins.md: the hook lpa_sinks"),
        ("docs/operations/endpoints.md", "| `lpa_lag_records` |", "the metric lpa_lag_records"),
        ("docs/operations/health.md", "[disk](#disk)", "the check disk"),
        ("docs/data.md", "### payment_events\n", "docs/data.md: the table payment_events is missing"),
        ("configs/clickhouse-init/01-schema.sql", "streaming_events", "is not the file of lpa-sinks"),
    ],
)
def test_what_is_not_documented_is_named(page: str, text: str, said: str, copy: Path) -> None:
    content = (copy / page).read_text()
    assert text in content
    (copy / page).write_text(content.replace(text, ""))
    outcome = judged(documentation.GATE, target(copy / "docs"))
    assert outcome.verdict is GateState.FAILED
    assert any(said in problem for problem in outcome.problems), outcome.problems


def test_outside_of_the_repository_it_cannot_be_judged(tmp_path: Path) -> None:
    for gate in (documentation.GATE, notes.GATE):
        outcome = judged(gate, target(tmp_path))
        assert outcome.verdict is GateState.NOT_JUDGED
        assert "run it in a checkout" in outcome.detail


def test_notes_are_needed_for_the_version_itself(copy: Path) -> None:
    assert judged(notes.GATE, target(copy)).verdict is GateState.PASSED
    page = copy / "docs" / "releases" / f"{version('lpa-ops')}.md"
    whole = page.read_text()
    page.write_text(whole.replace("## Rollback", "## Rolling back"))
    assert judged(notes.GATE, target(copy)).problems == (
        f"docs/releases/{page.name}: section Rollback is missing or empty",
    )
    page.write_text("# 0\n\n## Cut-over\n\n## Rollback\n\nGo back.\n\n## Retention\nAs ever.\n")
    assert "section Cut-over is missing or empty" in judged(notes.GATE, target(copy)).detail
    page.unlink()
    assert "is missing: write down how to cut over" in judged(notes.GATE, target(copy)).detail


def test_a_gate_that_breaks_is_not_passed(tmp_path: Path) -> None:
    def broken(of: Target) -> GateResult:
        raise RuntimeError("a\nfault")

    def lacking(of: Target) -> GateResult:
        raise CannotJudgeError("it lacks something")

    for judge, said in ((broken, "RuntimeError: a fault"), (lacking, "it lacks something")):
        assert judged(Gate("x", "X", judge), target(tmp_path)) == GateResult(GateState.NOT_JUDGED, said)


def test_the_command_fails_where_a_gate_cannot_be_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lpa(["release-check", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["version"], found["passed"]) == (version("lpa-ops"), False)
    assert {gate["verdict"] for gate in found["gates"]} == {"not judged"}
    assert all(gate["detail"] for gate in found["gates"]), "why"


@pytest.mark.parametrize(
    "command", [("release-check",), ("check", "assertions"), ("schema", "show")], ids=lambda words: words[0]
)
def test_two_formats_are_wrong_usage(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert lpa([*command, "--json", "--markdown"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "--json and --markdown cannot be given together; see lpa " in printed.err


def test_a_table_for_a_pull_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lpa(["release-check", "--markdown"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"### Release check of {version('lpa-ops')}: not passed"
    assert lines[2:4] == ["| gate | verdict | found |", "|---|---|---|"]
    assert all(line.count("|") - line.count(r"\|") == 4 for line in lines[4:])
    assert lpa(["release-check"]) == 1
    assert "Cut-over and rollback notes" in capsys.readouterr().out
