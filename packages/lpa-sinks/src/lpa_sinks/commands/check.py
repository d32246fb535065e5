"""``lpa check``: whether what is stored agrees."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import cyclopts
from clickhouse_connect.driver.client import Client
from rich.progress import track
from rich.text import Text

from lpa_core.commands.listing import print_block, print_paragraph
from lpa_core.commands.options import Json, SinkUri
from lpa_core.commands.output import Format, console, print_json, print_line
from lpa_core.counted import counted
from lpa_core.errors import Unavailable, UsageError
from lpa_core.plugins.context import AppContext
from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.time_window import parse_time, require_order
from lpa_sinks import parity
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.parity import page
from lpa_sinks.schema.apply import object_names

_STYLES: Final = {parity.Severity.FAIL: "bold red", parity.Severity.WARN: "yellow", parity.Severity.INFO: "cyan"}
_EXAMPLES_SHOWN: Final = 3
_NEEDED: Final = ("streaming_events", "known_gaps", "fact_workflow_sessions", "v_api_gpu_metrics")
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2106, 1, 1, tzinfo=UTC)


def check_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="check", help="Prove that what is stored agrees with itself.")

    @app.command(name="parity")
    def check_parity(
        *assertions: str,
        start: str | None = None,
        end: str | None = None,
        sink: SinkUri = None,
        json: Json = False,
    ) -> int:
        """Prove that events, facts, rollups and views of a window agree; exit with 1 if an assertion fails.

        Without a window it checks the last HEALTH_WINDOW_HOURS that have events, are over and are derived. If there is
        no such hour yet, nothing is checked: exit status 1.

        Parameters
        ----------
        assertions
            Names of assertions, such as facts_are_read_once. Default: all.
        start
            Begin of the window, such as 2026-01-08T10:00:00, in UTC if it has no zone, or 7d for a week ago. Whole
            hours compare best. Default: HEALTH_WINDOW_HOURS before the end.
        end
            End of the window, exclusive. Default: the end of the newest such hour.
        """
        asked = _asked(assertions)
        now_ms = time.time_ns() // 1_000_000
        begin, behind = _in_utc(start, "--start", now_ms), _in_utc(end, "--end", now_ms)
        if begin is not None and behind is not None:
            _require_some(begin, behind)
        with opened(sink, settings) as (client, database):
            _require_tables(client, database)
            last = behind or AT_ONCE.run(f"{database}: newest event", lambda: _newest(client, database, settings))
            first = begin or max(last - timedelta(hours=settings.health.window_hours), _FIRST)
            _require_some(first, last)

            def ask(assertion: parity.Assertion) -> parity.AssertionResult:
                return AT_ONCE.run(
                    f"{database}: check {assertion.name}",
                    lambda: parity.ask(client, database, assertion, first, last),
                )

            screen = console(stderr=True)
            shown = track(asked, "checking", console=screen, transient=True, disable=not screen.is_terminal)
            findings = [ask(assertion) for assertion in shown]
        if json:
            print_json([_as_json(finding) for finding in findings])
        else:
            if start is None or end is None:  # what was not asked for has to be seen
                print_line(f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
            _print(findings)
        return 1 if any(finding.severity is parity.Severity.FAIL for finding in findings) else 0

    @app.command(name="assertions")
    def show_assertions(*, markdown: Format = False, json: Format = False) -> None:
        """Show what `lpa check parity` asks.

        Parameters
        ----------
        markdown
            Print a page that explains each.
        json
            Print name, severity, meaning and what to do as JSON.
        """
        if markdown:
            sys.stdout.write(page.markdown())
        elif json:
            print_json(
                [
                    {"name": each.name, "severity": each.severities, "meaning": each.meaning, "to_do": each.to_do}
                    for each in parity.assertions()
                ]
            )
        else:
            print_line("A list; nothing was checked: `lpa check parity` checks.")
            for each in parity.assertions():
                print_block(console(), each.name, [("severity", each.severities), ("meaning", each.meaning)])

    return app


def _asked(names: Sequence[str]) -> Sequence[parity.Assertion]:
    known = {assertion.name: assertion for assertion in parity.assertions()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"there is no assertion {unknown[0]!r}", remedy="`lpa check assertions` shows them")
    return [known[name] for name in names] or list(known.values())


def _require_tables(client: Client, database: str) -> None:
    there = AT_ONCE.run(f"{database}: look for tables", lambda: object_names(client, database))
    for name in _NEEDED:
        if name not in there:
            raise SinkMisconfigured(f"{database} has no {name}: `lpa schema apply` makes it")


def _newest(client: Client, database: str, settings: Settings) -> datetime:
    """The end of the newest hour that has events, is over and derived. Raises Unavailable if there is none."""
    _, settled = parity.settled_hours(settings, 0, time.time_ns() // 1_000_000)
    newest = parity.end_of_events(client, database, settled)
    if newest is None:
        raise Unavailable(
            f"{database} has no event before {settled:%Y-%m-%d %H:%M} UTC, and later hours are not over and derived",
            remedy="check again in an hour, or name the window: --start 1h --end 1s",
        )
    return newest


def _require_some(first: datetime, last: datetime) -> None:
    require_order(round(first.timestamp() * 1000), round(last.timestamp() * 1000))


def _in_utc(text: str | None, option: str, now_ms: int) -> datetime | None:
    """Raises UsageError if views or ClickHouse's DateTime end."""
    if text is None:
        return None
    moment = datetime.fromtimestamp(parse_time(text, option, now_ms) / 1000, UTC)
    if not _FIRST <= moment <= _LAST:
        raise UsageError(f"{option}={text}: a window must be between 2000 and 2106")
    return moment


def _as_json(finding: parity.AssertionResult) -> dict[str, object]:
    return {
        "assertion": finding.assertion.name,
        "found": finding.severity.value if finding.severity else "holds",
        "meaning": finding.assertion.meaning,
        "to_do": finding.assertion.to_do,
        "rows": [{name: _plain(value) for name, value in row.items()} for row in finding.rows],
    }


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else str(value)


def _print(findings: Sequence[parity.AssertionResult]) -> None:
    screen = console()
    offending = [(finding.severity, finding) for finding in findings if finding.severity]
    offending.sort(key=lambda found: list(parity.Severity).index(found[0]))
    for severity, finding in offending:
        many = len(finding.rows) == parity.ROWS_SHOWN
        rows = f"{len(finding.rows)}+ rows" if many else counted(len(finding.rows), "row")
        screen.print(Text.assemble((severity, _STYLES[severity]), f" {finding.assertion.name}: {rows}"), soft_wrap=True)
        for line in (finding.assertion.meaning, f"To do: {finding.assertion.to_do}"):
            print_paragraph(screen, line, first="  ", indent="  ")
        for row in finding.rows[:_EXAMPLES_SHOWN]:
            shown = ", ".join(f"{name}={value}" for name, value in row.items() if name != "severity")
            print_paragraph(screen, shown, first="    ", indent="      ")
    by_severity = Counter(severity for severity, _ in offending)
    milder = "".join(
        f", {by_severity[severity]} {severity}"
        for severity in (parity.Severity.WARN, parity.Severity.INFO)
        if by_severity[severity]
    )
    held, failed = len(findings) - len(offending), by_severity[parity.Severity.FAIL]
    print_line(f"{counted(len(findings), 'assertion')}: {held} hold{milder}, {failed} fail")
