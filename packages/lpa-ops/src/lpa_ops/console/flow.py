"""The first page: what was read and what became of it, over time. Is it well, and since when not?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lpa_core.health.report import HealthReport
from lpa_core.settings.health import HealthSettings
from lpa_core.settings.thresholds import State
from lpa_ops.console.health import failing, verdict
from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest
from lpa_ops.console.text import epoch_ms

OUTCOMES: Final = ("accepted", "dead_lettered", "quarantined", "ignored")
_STEPS_MS: Final = (
    *(10_000, 30_000, 60_000, 300_000, 900_000, 1_800_000),
    *(3_600_000, 10_800_000, 21_600_000, 86_400_000, 604_800_000),
)
_MOST_STEPS: Final = 120
_MOST_MARKS: Final = 200


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    since, until = request.window()
    report = sources.health()
    since, step, steps = steps_of(sources, since, until)
    # The latest came in the last step with any or after it. Without one all events are looked at.
    known = max((each["start_ms"] for each in steps if each["accepted"]), default=0)
    (latest,) = sources.database.rows("latest_arrival.sql", since=known)
    arrived = epoch_ms(latest["at"])
    backups = sources.backups()
    marks = _marks(sources, backups.backups, since, until)
    totals = {name: sum(each[name] for each in steps) for name in ("read", *OUTCOMES)}
    return {
        "since_ms": since,
        "until_ms": until,
        "step_ms": step,
        "health": verdict(report),
        "failing": failing(report),
        "unwell_since_ms": unwell_since(steps, sources.settings.health),
        "totals": totals,
        **_rate(steps, step, until),
        "latest_arrival_ms": arrived or None,
        "seconds_since_arrival": max(0.0, (request.now_ms - arrived) / 1000) if arrived else None,
        "figures": {name: _figure(report, name) for name in ("consumer_lag", "input_to_fact_freshness", "rollup_lag")},
        "partitions": sources.partitions().as_json(),
        "steps": steps,
        "marks": marks[:_MOST_MARKS],
        "more_marks": len(marks) > _MOST_MARKS,
        "backups_unknown": backups.unknown,
    }


def steps_of(sources: ConsoleSources, since: int, until: int) -> tuple[int, int, list[dict[str, Any]]]:
    """Where the first step begins and how long each is, in ms, and what became of the records of each."""
    step = next((each for each in _STEPS_MS if (until - since) / each <= _MOST_STEPS), _STEPS_MS[-1])
    # Steps are whole, so that the first does not look like a fall.
    since -= since % step
    rows = sources.database.rows("flow.sql", since=since, until=until, step=step)
    return since, step, list(_whole(rows, since, until, step))


def unwell_since(steps: Sequence[Mapping[str, Any]], settings: HealthSettings) -> int | None:
    """Epoch ms of the first of the latest steps in a row whose rejects are beyond a threshold; None if they are not.

    Thresholds are those of the checks ``dlq_rate`` and ``quarantine_rate``. Steps without a record say nothing.
    """
    found = None
    for each in reversed([each for each in steps if each["read"]]):
        arrived = each["read"] - each["ignored"]
        if not arrived:
            continue
        states = (
            settings.dlq_share.judge(each["dead_lettered"] / arrived),
            settings.quarantine_share.judge(each["quarantined"] / arrived),
        )
        if states == (State.OK, State.OK):
            break
        found = each["start_ms"]
    return found


def _whole(rows: Sequence[Mapping[str, Any]], since: int, until: int, step: int) -> Iterator[dict[str, Any]]:
    """A step each, those without records among them."""
    found = {row["start_ms"]: row for row in rows}
    for start in range(since, until, step):
        counts = {name: int(found[start][name]) if start in found else 0 for name in OUTCOMES}
        yield {"start_ms": start, "read": sum(counts.values()), **counts}


def _rate(steps: Sequence[Mapping[str, Any]], step: int, until: int) -> Mapping[str, float]:
    """Records a second in the last two steps, and how long these are: the last one alone may have just started."""
    last = steps[-2:]
    seconds = (until - last[0]["start_ms"]) / 1000 if last else step / 1000
    seconds = max(seconds, 1.0)
    return {"read_per_second": sum(int(each["read"]) for each in last) / seconds, "rate_seconds": seconds}


def _figure(report: HealthReport, check: str) -> dict[str, Any] | None:
    for result in report.results:
        if result.check.name == check:
            finding = result.finding
            return {
                "state": finding.state.value,
                "value": finding.value,
                "unit": result.check.unit,
                "detail": finding.detail,
            }
    return None


def _marks(sources: ConsoleSources, backups: Sequence[tuple[int, str]], since: int, until: int) -> list[dict[str, Any]]:
    """The newest first; one more than are shown tells that there are more."""
    marks = sources.database.rows("marks.sql", since=since, until=until, limit=_MOST_MARKS + 1)
    marks += [{"kind": "backup", "at_ms": at_ms, "name": name} for at_ms, name in backups if since <= at_ms < until]
    return sorted(marks, key=lambda each: -int(each["at_ms"]))


PAGES: Final = (ConsolePage("flow", "Flow", "flow.html", _read, refreshed=True),)
