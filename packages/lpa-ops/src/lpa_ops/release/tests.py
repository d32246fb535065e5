"""Whether the tests passed, by the reports that they left (JUnit XML, as pytest writes it)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, final
from xml.etree import ElementTree

import attrs

from lpa_ops.release.gate import CannotJudge, Gate, Outcome, Target, outcome

_FOUND: Final = "report*.xml"
_FRESH_MS: Final = 86_400_000


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
    reports = {file: _read(file) for file in files}
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


def _read(file: Path) -> _Report:
    try:
        suites = ElementTree.parse(file).getroot()
        found = [suite for suite in suites.iter("testsuite") if suite.find("testsuite") is None]
        return _Report(
            tests=_sum(found, "tests"),
            failed=_sum(found, "failures") + _sum(found, "errors"),
            skipped=_sum(found, "skipped"),
            ended_ms=min(_time_ms(suite.attrib["timestamp"]) for suite in found),
        )
    except OSError as error:
        raise CannotJudge(f"{file} cannot be read: {error.strerror}") from None
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise CannotJudge(f"{file} is no JUnit report as pytest writes it ({error})") from None


def _sum(suites: Sequence[ElementTree.Element], attribute: str) -> int:
    return sum(int(suite.get(attribute, "0")) for suite in suites)


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
