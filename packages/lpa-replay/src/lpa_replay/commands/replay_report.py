"""How plans, runs and verifications are shown to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec
from rich.console import Console

from lpa_core.commands.listing import ListColumn, print_block, print_list, print_paragraph
from lpa_core.commands.output import folded
from lpa_core.counted import counted
from lpa_core.time_window import shown
from lpa_replay.audit import RunRecord
from lpa_replay.fix.changed_paths import changed_paths
from lpa_replay.planning.plan import Asked, Plan
from lpa_replay.sources.window import Clock
from lpa_replay.verify import EVERY_RECORD, VerificationResult

_KINDS_SHOWN = 5
_PATHS_SHOWN = 5
_SHOWN_OF_A_VALUE = 120
_SHOWN_OF_A_CHECKSUM = 8
_SHOWN_ELSEWHERE = ("replay_id", "verification")


def print_plan(console: Console, plan: Plan, figures: Mapping[str, Any], samples: Sequence[tuple[str, str]]) -> None:
    """What a run would do, on one screen."""
    asked = plan.asked
    print_paragraph(
        console, f"Replay {plan.id}: {plan.window} by {asked.clock.value} time, from {asked.source}", indent="  "
    )
    _print_figures(console, _FIGURES, figures)
    for hint in filter(None, (missed_text(asked, figures), futile_text(figures))):
        print_paragraph(console, hint)
    _print_reasons(console, figures)
    for title, key in (("class", "by_class"), ("reason", "by_reason"), ("type", "by_type"), ("hour", "by_hour")):
        _print_counts(console, f"by {title}", list(figures[key].items()))
    if samples:
        _print_repair(console, *samples[0])
    if asked.rate:
        print_paragraph(console, f"At {asked.rate:g} records a second: {estimated_seconds(plan, figures):,.0f} s")


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


def futile_text(figures: Mapping[str, Any]) -> str:
    """A warning if most of what is sent would fail again; empty if not."""
    fails = figures["published"] - figures["would_pass"]
    if 2 * fails <= figures["published"]:
        return ""
    return (
        f"{fails:,} of {figures['published']:,} would fail again and lose an attempt: narrow the plan with --reason "
        "and --type to what is repaired"
    )


def sample_json(before: str, after: str) -> dict[str, Any]:
    """A repaired record before and after, and each value that is changed."""
    changes = [attrs.asdict(each) for each in changed_paths(before, after)]
    return {"before": before, "after": after, "changes": changes}


def estimated_seconds(plan: Plan, figures: Mapping[str, Any]) -> float | None:
    """How long sending takes at the plan's rate; None without one."""
    return figures["published"] / plan.asked.rate if plan.asked.rate else None


def print_run(console: Console, asked: Asked, figures: Mapping[str, Any]) -> None:
    """What a run did."""
    if figures["already_delivered"]:
        print_paragraph(console, f"Replay {figures['id']} was delivered before: nothing is sent twice.")
    if canary := figures.get("canary"):
        print_paragraph(console, f"Canary: {canary['said']}.")
    if not figures.get("delivered", True):
        print_paragraph(console, "The rest is not sent: the same command without --canary-only sends it.")
        return
    named = {"sent" if key == "published" else name: key for name, key in _FIGURES.items()}
    _print_figures(console, named, figures)
    if hint := missed_text(asked, figures):
        print_paragraph(console, hint)
    _print_reasons(console, figures)
    print_paragraph(console, f"lpa replay verify {figures['id']}")


def print_checks(console: Console, run: RunRecord, checks: Sequence[VerificationResult]) -> None:
    rows = [(each.name, "" if each.passed is None else "pass" if each.passed else "FAIL", each.said) for each in checks]
    print_list(console, ("check", "", ListColumn("found", prose=True)), rows, title=f"Replay {run.replay_id}")


def print_runs(console: Console, runs: Sequence[RunRecord]) -> None:
    columns = ("id", "state", "window", "from", ListColumn("selected", right=True), ListColumn("sent", right=True))
    rows = []
    for run in runs:
        sent = "" if run.state == "staged" else f"{run.records_published:,}"
        row = (run.replay_id, run.state, window_text(run), run.source, f"{run.records_selected:,}", sent)
        rows.append((*row, run.fix_sha256[:_SHOWN_OF_A_CHECKSUM], became_text(run)))
    print_list(console, (*columns, "fix", ListColumn("became", prose=True)), rows)


def became_text(run: RunRecord) -> str:
    """What became of the records, as the last verification found it; empty if there was none."""
    checks = msgspec.json.decode(run.verification or "[]", type=list[dict[str, Any]])
    return next((str(each["said"]) for each in checks if each["name"] == EVERY_RECORD), "")


def print_record(console: Console, run: RunRecord, results: Sequence[tuple[str, str, int]]) -> None:
    """All of a run's audit, and its records by what became of them."""
    fields = [(name, str(value)) for name, value in run_json(run).items() if value not in (None, "")]
    print_block(console, f"Replay {run.replay_id}", [each for each in fields if each[0] not in _SHOWN_ELSEWHERE])
    console.print()
    columns = ("result", ListColumn("why", prose=True), ListColumn("records", right=True))
    print_list(console, columns, [(result, why, f"{records:,}") for result, why, records in results])


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
    "would pass": "would_pass",
    "skipped": "skipped",
    "already stored": "already_stored",
    "unrecoverable": "unrecoverable",
    "attempts exhausted": "exhausted",
    "older than the dedup TTL": "older_than_ttl",
}


def _print_figures(console: Console, named: Mapping[str, str], figures: Mapping[str, Any]) -> None:
    """Those that are not 0; what was read, selected and sent is always there."""
    always = ("read", "selected", "published")
    told = [f"{figures[key]:,} {name}" for name, key in named.items() if figures[key] or key in always]
    print_paragraph(console, f"records: {', '.join(told)}", indent="  ")


def _print_reasons(console: Console, figures: Mapping[str, Any]) -> None:
    # A run that an earlier version staged tells no details.
    details = figures.get("would_fail_details")
    if details is None:
        fails = list(figures["would_fail"].items())
    else:
        fails = [
            (f"{each['type'] or '-'}: {each['reason']} {each['details']}".rstrip(), each["records"]) for each in details
        ]
    _print_counted(console, "would fail again", fails)
    others = [(f"{each['outcome']}: {each['why']}", each["records"]) for each in figures["not_published"]]
    _print_counted(console, "not sent", others)


def _print_counted(console: Console, title: str, counts: Sequence[tuple[str, int]]) -> None:
    """The most frequent, a row each; nothing if there are none."""
    if counts:
        rows = [(f"{count:,}", name) for name, count in _most_frequent(counts)]
        print_list(console, (ListColumn("count", right=True), ListColumn(title, prose=True)), rows)


def _print_counts(console: Console, title: str, counts: Sequence[tuple[str, int]]) -> None:
    """The most frequent, in a line or two; nothing if there are none."""
    if counts:
        told = ", ".join(f"{count:,} {name}" for name, count in _most_frequent(counts))
        print_paragraph(console, f"{title}: {told}", indent="  ")


def _most_frequent(counts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The first few, and how many all others come to."""
    shown = [(name or "-", count) for name, count in counts[:_KINDS_SHOWN]]
    rest = counts[_KINDS_SHOWN:]
    return [*shown, (f"in {counted(len(rest), 'other')}", sum(count for _, count in rest))] if rest else shown


def _print_repair(console: Console, before: str, after: str) -> None:
    """What the repairs change in a record."""
    changed = changed_paths(before, after)
    print_paragraph(console, "a repaired record:")
    for each in changed[:_PATHS_SHOWN]:
        text = f"{_value(each.before)} -> {_value(each.after)}"
        print_paragraph(console, folded(f"{each.path}: {text}" if each.path else text), first="  ", indent="    ")
    if len(changed) > _PATHS_SHOWN:
        print_paragraph(console, f"{counted(len(changed) - _PATHS_SHOWN, 'more value')}: --json shows all", first="  ")


def _value(text: str | None) -> str:
    if text is None:
        return "missing"
    return text if len(text) <= _SHOWN_OF_A_VALUE else f"{text[:_SHOWN_OF_A_VALUE]} ..."
