"""Whether the tests passed, by the reports that they left (JUnit XML, as pytest writes it)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, final
from xml.etree import ElementTree

import attrs

from lpa_ops.release.gate import CannotJudge, Gate, Outcome, Target, outcome

_FOUND: Final = "report*.xml"
_FRESH_MS: Final = 86_400_000
_AHEAD_MS: Final = 300_000
"""By how much the clock of the machine that ran the tests may be ahead."""


@final
@attrs.frozen
class _Report:
    tests: int
    failed: int
    skipped: int
    ended_ms: int


def judge(target: Target) -> Outcome:
    files = target.junit or sorted(target.folder.glob(_FOUND))
    if not files:
        raise CannotJudge(
            f"no test report: run ./dev tests --junit-xml=report.xml, or give one with --junit ({_FOUND})"
        )
    reports = {file: _read(file, target.scope.now_ms) for file in files}
    since = max(target.scope.now_ms - _FRESH_MS, _last_commit_ms(target.folder))
    problems = [problem for file, report in reports.items() for problem in _problems(file, report, since)]
    tests = sum(report.tests for report in reports.values())
    skipped = sum(report.skipped for report in reports.values())
    return outcome(problems, f"{tests:,} tests passed or were skipped ({skipped:,}), in {len(reports)} reports")


def _problems(file: Path, report: _Report, since: int) -> Iterator[str]:
    if report.failed:
        yield f"{file}: {report.failed:,} of {report.tests:,} tests failed"
    if not report.tests - report.skipped:
        yield f"{file}: no test was run"
    if report.ended_ms < since:
        time = datetime.fromtimestamp(report.ended_ms / 1000, UTC)
        yield f"{file} is of {time:%Y-%m-%d %H:%M} UTC: older than a day or than the last commit; run the tests again"


def _read(file: Path, now_ms: int) -> _Report:
    """Raises CannotJudge where it is no report, or says what cannot be."""
    try:
        suites = ElementTree.parse(file).getroot()
        found = [suite for suite in suites.iter("testsuite") if suite.find("testsuite") is None]
        for suite in found:
            _require_possible(file, suite, now_ms)
        return _Report(
            tests=sum(_count(suite, "tests") for suite in found),
            failed=sum(_count(suite, "failures") + _count(suite, "errors") for suite in found),
            skipped=sum(_count(suite, "skipped") for suite in found),
            ended_ms=min(_time_ms(suite.attrib["timestamp"]) for suite in found),
        )
    except OSError as error:
        raise CannotJudge(f"{file} cannot be read: {error.strerror}") from None
    except (ElementTree.ParseError, KeyError, ValueError, OverflowError) as error:
        raise CannotJudge(f"{file} is no JUnit report as pytest writes it ({error})") from None


def _require_possible(file: Path, suite: ElementTree.Element, now_ms: int) -> None:
    """Raises CannotJudge where a suite tells what cannot be, and ValueError."""
    counts = {name: _count(suite, name) for name in ("tests", "failures", "errors", "skipped")}
    # A test that fails and whose clean-up fails is counted as both.
    not_passed = counts["skipped"] + max(counts["failures"], counts["errors"])
    time = suite.attrib["timestamp"]
    impossible = [f"it counts {count:,} {name}" for name, count in counts.items() if count < 0]
    if not_passed > counts["tests"]:
        impossible.append(f"{not_passed:,} of {counts['tests']:,} tests failed or were skipped")
    if _time_ms(time) > now_ms + _AHEAD_MS:
        impossible.append(f"its time {time} is in the future")
    if impossible:
        raise CannotJudge(f"{file} cannot be believed: {impossible[0]}; run the tests again")


def _count(suite: ElementTree.Element, attribute: str) -> int:
    return int(suite.get(attribute, "0"))


def _time_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _last_commit_ms(folder: Path) -> int:
    """0 where there is no repository, or no git."""
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=folder, capture_output=True, text=True, check=True
        )
        return int(done.stdout) * 1000
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 0


GATE: Final = Gate("tests", "Tests", judge)
