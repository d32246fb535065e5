"""A health report for people: by state, the worst first, each trouble with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console

from lpa_core.commands.listing import ListColumn, print_block, print_list
from lpa_core.commands.output import plain
from lpa_core.health.check import CheckResult
from lpa_core.health.report import HealthReport
from lpa_core.settings.thresholds import State

STYLES: Final[Mapping[State, str]] = {
    State.OK: "green",
    State.NOT_APPLICABLE: "dim",
    State.WARNING: "yellow",
    State.CRITICAL: "bold red",
}
_WORST_FIRST: Final = (State.CRITICAL, State.WARNING, State.NOT_APPLICABLE, State.OK)


def print_report(report: HealthReport, console: Console, *, wide: bool) -> None:
    """Print a block for each trouble, and a row for each other check. ``wide`` also tells what good ones found."""
    for state in _WORST_FIRST:
        results = [result for result in report.results if result.finding.state is state]
        if not results:
            continue
        console.print(plain(f"{state.value}: {len(results)}", STYLES[state]), soft_wrap=True)
        if state in (State.CRITICAL, State.WARNING):
            for alike in _alike(results):
                _print_trouble(console, alike)
        elif state is State.NOT_APPLICABLE:
            _print_rows(console, "why", [(_name(alike), "", alike[0].finding.detail) for alike in _alike(results)])
        else:
            rows = [(result.check.name, _value(result), result.finding.detail if wide else "") for result in results]
            _print_rows(console, "found", rows)
        console.print()
    console.print(plain(f"health: {report.state.value}", STYLES[report.state]), soft_wrap=True)


def _alike(results: Sequence[CheckResult]) -> Iterator[Sequence[CheckResult]]:
    """Results in their order; those that found the same, such as a database that is not there, are one entry."""
    by_finding: dict[tuple[str, str], list[CheckResult]] = {}
    for result in results:
        by_finding.setdefault((result.finding.detail, result.finding.action), []).append(result)
    yield from by_finding.values()


def _print_trouble(console: Console, alike: Sequence[CheckResult]) -> None:
    first = alike[0]
    title = "" if len(alike) > 1 else f": {first.check.title}"
    fields = [("value", _value(first) if len(alike) == 1 else ""), ("beyond", _thresholds(first))]
    fields += [("found", first.finding.detail), ("to do", first.finding.action)]
    if len(alike) == 1:
        fields.append(("see", first.check.runbook))
    print_block(console, f"{_name(alike)}{title}", fields)


def _print_rows(console: Console, last: str, rows: Sequence[tuple[str, str, str]]) -> None:
    columns = [ListColumn("check"), ListColumn("value"), ListColumn(last, prose=True)]
    kept = [0, *(index for index in (1, 2) if any(row[index] for row in rows))]
    print_list(console, [columns[index] for index in kept], [[row[index] for index in kept] for row in rows])


def _name(alike: Sequence[CheckResult]) -> str:
    return ", ".join(result.check.name for result in alike)


def _value(result: CheckResult) -> str:
    value = result.finding.value
    return "" if value is None else f"{_figure(value)} {result.check.unit}".rstrip()


def _thresholds(result: CheckResult) -> str:
    thresholds = result.finding.thresholds
    if thresholds is None:
        return ""
    beyond = "below" if thresholds.falling else "above"
    return f"warning {beyond} {_figure(thresholds.warning)}, critical {beyond} {_figure(thresholds.critical)}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"
