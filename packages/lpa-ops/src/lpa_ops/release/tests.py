"""Whether the tests passed, all of them, by the reports that they left."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lpa_ops.release.defined_tests import defined_tests
from lpa_ops.release.gate import CannotJudgeError, Gate, GateResult, Target, outcome
from lpa_ops.release.junit import COMMIT, NARROWED, JunitReport, read_report

_FOUND: Final = "report*.xml"
_FRESH_MS: Final = 86_400_000


def judge(target: Target) -> GateResult:
    files = target.junit or sorted(target.folder.glob(_FOUND))
    if not files:
        raise CannotJudgeError(
            f"no test report: run ./dev tests --junit-xml=report.xml, or give one with --junit ({_FOUND})"
        )
    reports = {file: read_report(file, target.scope.now_ms) for file in files}
    since = max(target.scope.now_ms - _FRESH_MS, _last_commit_ms(target.folder))
    problems = [problem for file, report in reports.items() for problem in _problems(file, report, since)]
    tests = sum(report.tests for report in reports.values())
    skipped = sum(report.skipped for report in reports.values())
    said = f"{tests:,} tests passed or were skipped ({skipped:,}), in {len(reports)} reports"
    try:
        root = target.repository()
    except CannotJudgeError:
        return outcome(problems, said)  # the gates of documentation and notes hold a release up there
    defined = defined_tests(root)
    problems += _left_out(reports, defined, _git(root, "rev-parse", "HEAD"))
    return outcome(problems, f"{said}: all {len(defined):,} that the repository defines")


def _problems(file: Path, report: JunitReport, since: int) -> Iterator[str]:
    if report.failed:
        yield f"{file}: {report.failed:,} of {report.tests:,} tests failed"
    if not report.tests - report.skipped:
        yield f"{file}: no test was run"
    if report.ended_ms < since:
        time = datetime.fromtimestamp(report.ended_ms / 1000, UTC)
        yield f"{file} is of {time:%Y-%m-%d %H:%M} UTC: older than a day or than the last commit; run the tests again"


def _left_out(reports: Mapping[Path, JunitReport], defined: frozenset[str], head: str) -> Iterator[str]:
    """Why the reports may be about some of the tests only, or about others."""
    for file, report in reports.items():
        narrowed, commit = report.properties.get(NARROWED), report.properties.get(COMMIT)
        if narrowed is None:
            yield f"{file} does not say how it was made: run ./dev tests --junit-xml={file.name} in this repository"
        elif narrowed:
            yield f"{file} is of a part of the tests: the run was narrowed by {narrowed}; run it without"
        if commit and commit != head:
            yield f"{file} is of the commit {commit[:12]}, not of {head[:12]}; run the tests again"
        if len(report.cases) < report.tests:
            yield f"{file} names {len(report.cases):,} of its {report.tests:,} tests; run the tests again"
    cases = [case for report in reports.values() for case in report.cases]
    missing = sorted(defined - {case.name for case in cases})
    if missing:
        yield (
            f"{len(missing):,} of {len(defined):,} tests are in no report, such as {missing[0]}: "
            "give the whole reports of ./dev tests and of ./dev integration"
        )
    unexplained = sorted({case.name for case in cases if case.skipped_without_reason})
    if unexplained:
        yield f"{len(unexplained):,} tests are skipped without a reason, such as {unexplained[0]}"


def _last_commit_ms(folder: Path) -> int:
    """0 if there is no repository, or no git."""
    seconds = _git(folder, "log", "-1", "--format=%ct")
    return int(seconds) * 1000 if seconds.isdigit() else 0


def _git(folder: Path, *arguments: str) -> str:
    """What git prints; empty if there is no repository, or no git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


GATE: Final = Gate("tests", "Tests", judge)
