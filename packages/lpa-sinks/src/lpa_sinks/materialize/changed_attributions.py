"""Whose facts may change by snapshots that arrived: what names the wallets and URLs of them."""

from __future__ import annotations

from typing import Final

from lpa_core.events.times import MOST_APART_MS
from lpa_core.job_facts.job_rows import JobKey
from lpa_core.tables.table import Column, Kind
from lpa_sinks.clickhouse.inline_rows import carried
from lpa_sinks.materialize.capabilities import CapabilityChanges, url_key_of
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.row_filter import SessionKey, between
from lpa_sinks.materialize.stored_jobs import job_ids

_DAY_MS: Final = 86_400_000
_TIMES: Final = (
    Column("org", Kind.TEXT),
    Column("is_url", Kind.UINT8),
    Column("name", Kind.TEXT),
    Column("time", Kind.INT64),
)


def sessions_named(database: FactDatabase, changes: CapabilityChanges) -> set[SessionKey]:
    """The sessions that may be attributed otherwise. Raises the client's errors."""
    # A trace's step may lie that far from its event.
    return {SessionKey(*key) for key in _named(database, "sessions_named.sql", 3, changes, MOST_APART_MS)}


def jobs_named(database: FactDatabase, changes: CapabilityChanges) -> set[JobKey]:
    """The jobs that may be attributed otherwise. Raises the client's errors."""
    return {JobKey(*key) for key in _named(database, "jobs_named.sql", 2, changes, _DAY_MS)}


def _named(
    database: FactDatabase, file: str, width: int, changes: CapabilityChanges, wider: int
) -> set[tuple[str, ...]]:
    if not changes.since:
        return set()
    near = between(changes.span.wider(wider))
    found = database.query(
        file,
        width,
        near.parameters,
        since=carried(_TIMES, [(*name, time) for name, time in changes.since.items()]),
        at=carried(_TIMES, list(changes.at)),
        near=near.condition,
        url_key=url_key_of("orch_uri"),
        **job_ids(),
    )
    return set(zip(*found, strict=True))
