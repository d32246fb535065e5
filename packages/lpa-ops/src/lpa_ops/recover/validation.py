"""What every recovery is proved by: nothing doubled, nothing missing, how fresh, and derived data in parity."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.counted import counted
from lpa_core.delivery.commit_metadata import MAX_SPAN
from lpa_core.settings.settings import Settings
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_ops.positions.missing import Positions, positions_of
from lpa_ops.positions.stored_tables import stored_spans, stored_tables, table_names
from lpa_ops.recover.statements import sql
from lpa_sinks import parity

_ASKED: Final = frozenset({KNOWN_GAPS_TABLE.name, "fact_workflow_sessions_versions"})
"""Tables that parity asks, and that a database may do without: without facts, or of version 0.1.0."""
_PARITY_HOURS: Final = 24
"""Up to the hour of the newest event."""


@final
@attrs.frozen
class ValidationResult:
    """What one check found. ``good`` is None if it only informs."""

    name: str
    good: bool | None
    found: str


def validate(client: Client, database: str, sink: str | None, settings: Settings) -> list[ValidationResult]:
    """``sink`` is as given on the command line.

    Raises the client's errors, BrokerError, BrokerUnavailable, BackupError.
    """
    with positions_of(client, database, sink, settings) as known:
        conserved = _conservation(client, database, known)
    return [
        _duplicates_by_position(client, database),
        _duplicates_by_key(client, database, settings),
        conserved,
        _freshness(client, database),
        _views(client, database),
        _parity(client, database),
    ]


def _duplicates_by_position(client: Client, database: str) -> ValidationResult:
    found = client.query(sql("twice_stored.sql", database)).result_rows
    what = [f"{topic}[{number}]: {count:,} between {low} and {high}" for topic, number, count, low, high in found]
    return ValidationResult("no record is stored twice", not found, _listed(what))


def _duplicates_by_key(client: Client, database: str, settings: Settings) -> ValidationResult:
    ttl = {"ttl_seconds": settings.quality.dedup_ttl_minutes * 60}
    found = client.query(sql("twice_accepted.sql", database), parameters=ttl).result_rows
    what = [f"{topic}[{number}]: {counted(count, 'key')}" for topic, number, count in found]
    return ValidationResult("no key is accepted twice within its TTL", not found, _listed(what))


def _conservation(client: Client, database: str, known: Positions) -> ValidationResult:
    places = {RAW_TABLE.name, DLQ_TABLE.name, QUARANTINE_TABLE.name}
    tables = [table for table in stored_tables(client, database) if table.name in places]
    missing = []
    for partition, (first, behind) in stored_spans(client, tables).items():
        # What was stored first expires first, so the end of a partition is what can be judged.
        found = known.missing(partition, OffsetSpan(max(first, behind - MAX_SPAN), behind))
        if found:
            missing.append(f"{partition}: {found[0].first} is in no table, though {behind - 1} is")
    return ValidationResult("every record is in one table", not missing, _listed(missing))


def _freshness(client: Client, database: str) -> ValidationResult:
    ((rows, newest),) = client.query(sql("freshness.sql", database)).result_rows
    if not rows:
        return ValidationResult("freshness", None, "no event is stored")
    minutes = (time.time_ns() // 1_000_000 - newest) / 60_000
    return ValidationResult("freshness", None, f"the newest event was stored {minutes:,.1f} minutes ago")


def _views(client: Client, database: str) -> ValidationResult:
    broken = []
    for (name,) in client.query(sql("views.sql", database), parameters={"database": database}).result_rows:
        try:
            client.query(f"SELECT 1 FROM `{database}`.`{name}` LIMIT 1")
        except Exception as error:  # of whatever kind: the view does not answer
            broken.append(f"{name}: {' '.join(str(error).split())[:200]}")
    return ValidationResult("every view answers", not broken, _listed(broken))


def _parity(client: Client, database: str) -> ValidationResult:
    absent = sorted(_ASKED - set(table_names(client, database)))
    if absent:
        return ValidationResult("derived data agree", None, f"nothing was derived yet: there is no {', '.join(absent)}")
    ((events, hour),) = client.query(sql("newest_event.sql", database)).result_rows
    if not events:
        return ValidationResult("derived data agree", None, "no event is stored")
    end = datetime.fromtimestamp(hour, UTC) + timedelta(hours=1)
    start = end - timedelta(hours=_PARITY_HOURS)
    found = [parity.ask(client, database, assertion, start, end) for assertion in parity.assertions()]
    failed = [each.assertion.name for each in found if each.severity is parity.Severity.FAIL]
    if not failed:
        return ValidationResult(
            "derived data agree",
            True,
            f"{counted(len(found), 'assertion holds', 'assertions hold')} over {_PARITY_HOURS} h",
        )
    # Workers are stopped, and some of what is derived from may come again: nobody can tell yet whether it is a fault.
    return ValidationResult("derived data agree", None, f"not yet: {_listed(failed)}")


def _listed(what: Sequence[str]) -> str:
    more = f"; and {len(what) - 5} more" if len(what) > 5 else ""
    return "; ".join(what[:5]) + more
