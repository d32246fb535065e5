"""Which share of the times in the data of events was not believed (docs/spec/producers.md section 4)."""

from __future__ import annotations

from typing import Final

from lpa_core.events.times import EARLIEST_EVENT_MS, MOST_AHEAD_MS, MOST_APART_MS, DiscardedTime
from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section

_EVENTS: Final = 50_000
"""The newest traces and statuses of the window are looked at, so many: their text is read."""


def judge(scope: Scope) -> Finding:
    with opened(scope) as database:
        database.require("streaming_events")
        found = database.ask_for_one(
            "discarded_timestamps.sql",
            events=_EVENTS,
            earliest=EARLIEST_EVENT_MS,
            apart=MOST_APART_MS,
            ahead=MOST_AHEAD_MS,
        )
    times = found["times"]
    if not times:
        raise NotApplicable("no event with a time in its data arrived in the window")
    kinds = {kind.value: found[kind.value] for kind in DiscardedTime if found[kind.value]}
    discarded = sum(kinds.values())
    what = f"{discarded:,} of {times:,} times in the data of events were not believed ({discarded / times:.2%})"
    if kinds:
        named = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        what += f": {named}; most from gateway {', '.join(found['gateways']) or 'without a name'}"
    return Finding.of(
        discarded / times,
        scope.settings.health.discarded_timestamps_share,
        what,
        "correct the producer: times are epoch milliseconds of a clock that is set",
    )


CHECK: Final = HealthCheck(
    "discarded_timestamps",
    "Times in data that are not believed",
    judge,
    "share",
    costly=True,
    runbook=section("discarded_timestamps"),
)
