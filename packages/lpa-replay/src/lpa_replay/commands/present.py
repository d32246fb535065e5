"""How plans, runs and verifications are shown to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from lpa_replay.audit import RunRecord
from lpa_replay.plan import Asked, Plan
from lpa_replay.verify import Check
from lpa_replay.window import Clock, shown

_KINDS_SHOWN = 20
_SHOWN_OF_A_SAMPLE = 400


def print_plan(console: Console, plan: Plan, figures: Mapping[str, Any], samples: Sequence[tuple[str, str]]) -> None:
    """What a run would do."""
    asked = plan.asked
    console.print(escape(f"Replay {plan.id}: {plan.window} by {asked.clock.value} time, from {asked.source}"))
    console.print(_counted("records", [(name, figures[key]) for name, key in _FIGURES.items()]))
    if hint := missed_text(asked, figures):
        console.print(hint)
    for title, key in (("class", "by_class"), ("reason", "by_reason"), ("type", "by_type"), ("hour", "by_hour")):
        counts = {name or "-": count for name, count in figures[key].items()}
        if counts:
            console.print(_counted(title, list(counts.items())))
    _print_reasons(console, figures)
    for before, after in samples:
        console.print(escape(f"before  {_cut(before)}"), highlight=False)
        console.print(escape(f"after   {_cut(after)}"), highlight=False)
    if asked.rate:
        console.print(f"At {asked.rate:g} records a second: {estimated_seconds(plan, figures):,.0f} s")


def missed_text(asked: Asked, figures: Mapping[str, Any]) -> str:
    """A hint at records that the window would take by the other time; empty if there are none."""
    missed = figures.get("missed", 0)
    if not missed:
        return ""
    if asked.clock is Clock.EVENT:
        return (
            f"{missed:,} more were rejected in this window but have event times outside of it: --by ingestion takes "
            "what was rejected in it"
        )
    return (
        f"{missed:,} more have event times in this window but were rejected outside of it: --by event takes what "
        "happened in it"
    )


def agreed(console: Console) -> bool:
    """Whether the plan shown is to be carried out, as somebody at the terminal answers."""
    console.print("Send? [y/N] ", end="", markup=False, highlight=False)
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


def estimated_seconds(plan: Plan, figures: Mapping[str, Any]) -> float | None:
    """How long sending takes at the plan's rate; None without one."""
    return figures["published"] / plan.asked.rate if plan.asked.rate else None


def print_run(console: Console, asked: Asked, figures: Mapping[str, Any]) -> None:
    """What a run did."""
    if figures["already_delivered"]:
        console.print(escape(f"Replay {figures['id']} was delivered before: nothing is sent twice."))
    named = {"sent" if key == "published" else name: figures[key] for name, key in _FIGURES.items()}
    console.print(_counted("records", list(named.items())))
    if hint := missed_text(asked, figures):
        console.print(hint)
    _print_reasons(console, figures)
    console.print(escape(f"lpa replay verify {figures['id']}"))


def print_checks(console: Console, run: RunRecord, checks: Sequence[Check]) -> None:
    table = Table("check", "", "found", title=escape(f"Replay {run.replay_id}"), title_justify="left")
    for check in checks:
        mark = "" if check.passed is None else "pass" if check.passed else "FAIL"
        table.add_row(check.name, mark, escape(check.said))
    console.print(table)


def print_runs(console: Console, runs: Sequence[RunRecord]) -> None:
    table = Table(Column("id", no_wrap=True), "state", Column("window", overflow="fold"), "from", "selected", "sent")
    for run in runs:
        sent = "" if run.state == "staged" else f"{run.records_published:,}"
        cells = (run.replay_id, run.state, window_text(run), run.source, f"{run.records_selected:,}", sent)
        table.add_row(*map(escape, cells))
    console.print(table)


def print_record(console: Console, run: RunRecord, results: Sequence[tuple[str, str, int]]) -> None:
    """All of a run's audit, and its records by what became of them."""
    table = Table("", Column("value", overflow="fold"), title=escape(f"Replay {run.replay_id}"), title_justify="left")
    for name, value in run_json(run).items():
        if name != "verification" and value not in (None, ""):
            table.add_row(name, escape(str(value)))
    console.print(table)
    outcomes = Table("result", "why", "records")
    for result, why, records in results:
        outcomes.add_row(escape(result), escape(why), f"{records:,}")
    console.print(outcomes)


def run_json(run: RunRecord) -> dict[str, Any]:
    """The audit of a run with its times as text."""
    said = attrs.asdict(run)
    for name in ("started_ms", "start_ms", "end_ms"):
        moment = said.pop(name)
        said[name.removesuffix("_ms")] = None if moment is None else shown(moment)
    return said


def window_text(run: RunRecord) -> str:
    if run.start_ms is None or run.end_ms is None:
        return "everything"
    return f"{shown(run.start_ms)} to {shown(run.end_ms)} by {run.clock} time"


_FIGURES = {
    "read": "read",
    "without a time": "untimed",
    "selected": "selected",
    "to send": "published",
    "  would pass": "would_pass",
    "skipped": "skipped",
    "  already stored": "already_stored",
    "unrecoverable": "unrecoverable",
    "attempts exhausted": "exhausted",
    "older than the dedup TTL": "older_than_ttl",
}


def _print_reasons(console: Console, figures: Mapping[str, Any]) -> None:
    if figures["would_fail"]:
        console.print(_counted("would fail again", list(figures["would_fail"].items())))
    others = [(f"{each['outcome']}: {each['why']}", each["records"]) for each in figures["not_published"]]
    if others:
        console.print(_counted("not sent", others))


def _counted(title: str, counts: Sequence[tuple[str, int]]) -> Table:
    table = Table(title, "count")
    table.columns[1].justify = "right"
    for name, count in counts[:_KINDS_SHOWN]:
        table.add_row(escape(_cut(name)), f"{count:,}")
    rest = counts[_KINDS_SHOWN:]
    if rest:
        table.add_row(f"{len(rest):,} others", f"{sum(count for _, count in rest):,}")
    return table


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_OF_A_SAMPLE else text[: _SHOWN_OF_A_SAMPLE - 1] + "…"
