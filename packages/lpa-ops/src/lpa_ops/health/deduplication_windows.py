"""Whether ClickHouse remembers tokens for as long as an insert may be repeated.

A table's window is counted in entries: one insert into N table partitions takes N of them. An insert whose token was
pushed out by others is stored twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.health.state import State
from lpa_core.rejects import DLQ_TABLE, QUARANTINE_TABLE
from lpa_core.rows import RAW_TABLE
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section

_TABLES: Final = [RAW_TABLE.name, DLQ_TABLE.name, QUARANTINE_TABLE.name]
_ACTION: Final = "raise the table's deduplication window, or let ranges grow: CLICKHOUSE_SINK_MAX_TIME_MS"


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
    thresholds = scope.settings.health.deduplication_window_share
    found = (
        f"{busiest['entries']:,} entries in the busiest {minutes} minutes, from {busiest['partitions']} partitions; "
        f"{smallest['name']} remembers {remembered:,}"
    )
    if not remembered:  # of nothing there is no share
        return Finding(State.CRITICAL, found, None, thresholds, _ACTION)
    return Finding.of(busiest["entries"] / remembered, thresholds, found, _ACTION)


def _window(table: Mapping[str, Any]) -> int:
    return int(table["replicated_window"] if table["replicated"] else table["plain_window"])


CHECK: Final = HealthCheck(
    "deduplication_windows",
    "Deduplication windows",
    judge,
    "share",
    costly=True,
    runbook=section("deduplication_windows"),
)
