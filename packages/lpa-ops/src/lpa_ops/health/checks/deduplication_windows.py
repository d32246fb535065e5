"""Whether ClickHouse remembers tokens for as long as an insert may be repeated.

A table's window is counted in entries: one insert into N table partitions takes N of them. An insert whose token was
pushed out by others is stored twice. Replicated tables forget tokens after some time as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, Final

from lpa_core.counted import counted
from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.settings.thresholds import State
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section

_TABLES: Final = [RAW_TABLE.name, DLQ_TABLE.name, QUARANTINE_TABLE.name]
_ACTION: Final = "raise the table's deduplication window, or let ranges grow: CLICKHOUSE_SINK_MAX_TIME_MS"
_SECONDS_ACTION: Final = "raise the table's replicated_deduplication_window_seconds"


def judge(scope: Scope) -> Finding:
    minutes = scope.settings.health.retry_horizon_minutes
    with opened(scope) as database:
        database.require(*_TABLES)
        busiest = database.ask_for_one("blocks.sql", minutes=minutes)
        windows = database.ask("windows.sql", tables=_TABLES)
    if not windows:
        raise NotApplicable("no table of this database deduplicates by itself: they hand inserts on")
    if not busiest["entries"]:
        raise NotApplicable("nothing was inserted in the window")
    smallest = min(windows, key=_window)
    remembered = _window(smallest)
    shortest = min(map(_seconds, windows))
    thresholds = scope.settings.health.deduplication_window_share
    found = (
        f"{counted(busiest['entries'], 'entry', 'entries')} in the busiest {minutes} minutes, from "
        f"{counted(busiest['partitions'], 'partition')}; {smallest['name']} remembers {remembered:,}"
    )
    if not remembered:  # of nothing there is no share
        return Finding(State.CRITICAL, found, None, thresholds, _ACTION)
    if shortest < minutes * 60:
        found = (
            f"tokens are remembered for {shortest:,.0f} s only, though inserts may be repeated for {minutes} minutes"
        )
        return Finding(State.CRITICAL, found, None, thresholds, _SECONDS_ACTION)
    return Finding.of(busiest["entries"] / remembered, thresholds, found, _ACTION)


def _window(table: Mapping[str, Any]) -> int:
    return int(table["replicated_window"] if table["replicated"] else table["plain_window"])


def _seconds(table: Mapping[str, Any]) -> float:
    """For how long a token is remembered; 0 in the DDL, or nothing, leaves it to the server."""
    return int(table["replicated_seconds"]) or inf if table["replicated"] else inf


CHECK: Final = HealthCheck(
    "deduplication_windows",
    "Deduplication windows",
    judge,
    "share",
    costly=True,
    runbook=section("deduplication_windows"),
)
