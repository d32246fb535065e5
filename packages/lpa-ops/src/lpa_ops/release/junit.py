"""Test reports in JUnit XML, as pytest writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, final
from xml.etree import ElementTree

import attrs

from lpa_ops.release.gate import CannotJudgeError

NARROWED: Final = "lpa.narrowed"
"""Property of a report: what left tests out of the run; empty if nothing did."""
COMMIT: Final = "lpa.commit"
"""Property of a report: the commit that was tested."""
_AHEAD_MS: Final = 300_000
"""By how much the clock of the machine that ran the tests may be ahead."""
_NO_REASON: Final = ("", "unconditional skip")


@final
@attrs.frozen
class Case:
    """One test. ``name`` has the module, class and function, with dots between; without parameters."""

    name: str
    skipped_without_reason: bool


@final
@attrs.frozen
class JunitReport:
    """What a file says. ``cases`` may be fewer than ``tests``; ``properties`` are empty if another tool wrote it."""

    tests: int
    failed: int
    skipped: int
    ended_ms: int
    cases: Sequence[Case]
    properties: Mapping[str, str]


def read_report(file: Path, now_ms: int) -> JunitReport:
    """Raises CannotJudgeError if it is not a report, or says what cannot be."""
    try:
        suites = ElementTree.parse(file).getroot()
        found = [suite for suite in suites.iter("testsuite") if suite.find("testsuite") is None]
        for suite in found:
            _require_possible(file, suite, now_ms)
        return JunitReport(
            tests=sum(_count(suite, "tests") for suite in found),
            failed=sum(_count(suite, "failures") + _count(suite, "errors") for suite in found),
            skipped=sum(_count(suite, "skipped") for suite in found),
            ended_ms=min(_time_ms(suite.attrib["timestamp"]) for suite in found),
            cases=[case for suite in found for case in _cases(suite)],
            properties={
                each.attrib["name"]: each.get("value", "")
                for suite in found
                for each in suite.iterfind("properties/property")
            },
        )
    except OSError as error:
        raise CannotJudgeError(f"{file} cannot be read: {error.strerror}") from None
    except (ElementTree.ParseError, KeyError, ValueError, OverflowError) as error:
        raise CannotJudgeError(f"{file} is not a JUnit report as pytest writes it ({error})") from None


def _cases(suite: ElementTree.Element) -> Iterator[Case]:
    for case in suite.iterfind("testcase"):
        skipped = case.find("skipped")
        name = f"{case.get('classname', '')}.{case.get('name', '').partition('[')[0]}"
        yield Case(name, skipped is not None and skipped.get("message", "") in _NO_REASON)


def _require_possible(file: Path, suite: ElementTree.Element, now_ms: int) -> None:
    """Raises CannotJudgeError if a suite tells what cannot be, and ValueError."""
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
        raise CannotJudgeError(f"{file} cannot be believed: {impossible[0]}; run the tests again")


def _count(suite: ElementTree.Element, attribute: str) -> int:
    return int(suite.get(attribute, "0"))


def _time_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
