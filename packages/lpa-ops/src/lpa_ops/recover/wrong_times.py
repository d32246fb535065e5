"""Rows are stored under a batch time that is yet to come: they get the time of now, and claims are made again."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, final

from clickhouse_connect.driver.client import Client

from lpa_core.counted import counted
from lpa_core.delivery.batch_clock import SLACK_MS
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import require_stopped
from lpa_core.release import require_clock, shown
from lpa_core.settings.settings import Settings
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_ops.backup import claims
from lpa_ops.positions.committed import of_derivation
from lpa_ops.positions.stored_tables import StoredTable, positions, stored_tables
from lpa_ops.recover.scenario import Context, Findings, RecoveryStep
from lpa_ops.recover.statements import sql_of
from lpa_sinks.clickhouse.database import opened

_SYNCHRONOUSLY: Final = {"mutations_sync": 2}


def _now() -> int:
    return require_clock(time.time_ns() // 1_000_000)


class WrongTimesFindings(Findings, frozen=True, kw_only=True):
    since: int
    """Ingestion times behind this one, epoch ms, are wrong."""
    of_topic: bool
    """Whether any stored record came from the group's topics."""


@final
class WrongTimes:
    """Sets ingestion times that lie in the future to now, and has claims rebuilt from the tables."""

    name = "wrong-times"
    findings = WrongTimesFindings

    def __init__(self, clock: Callable[[], int] = _now) -> None:
        """``clock`` gives the time that is right, epoch ms."""
        self._clock = clock

    def assess(self, context: Context) -> WrongTimesFindings:
        now = self._clock()
        with opened(context.sink, context.settings) as (client, name):
            tables = stored_tables(client, name)
            stored = positions(client, tables)
            damage = [
                f"{table.name}: {counted(rows, 'row is', 'rows are')} of {shown(first)} to {shown(newest)}, and it is "
                f"{shown(now)}"
                for table in _dated(tables)
                for rows, first, newest in _wrong(client, table, now + SLACK_MS)
            ]
        return WrongTimesFindings(
            damage=damage,
            lost=[],
            seconds=1,
            since=now + SLACK_MS,
            of_topic=any(partition.topic in context.settings.quality.topics for partition in stored),
        )

    def look_again(
        self, found: WrongTimesFindings, begun: Collection[str], started_ms: int, context: Context
    ) -> WrongTimesFindings:
        return self.assess(context)  # the live state tells all there is to know

    def steps(self, found: WrongTimesFindings, context: Context) -> Sequence[RecoveryStep]:
        return [
            RecoveryStep("stopped", "make sure that no worker is running", lambda: self._stopped(found, context)),
            RecoveryStep("claims", "have the claims of this machine rebuilt", lambda: self._claims(context)),
            RecoveryStep("times", "set these ingestion times to now", lambda: self._set(found, context)),
        ]

    def then(self, found: WrongTimesFindings) -> Sequence[str]:
        return [
            "run `lpa recover lost-claims` with the workers' --sink and --dedup if they share their claims",
            "start the workers: they rebuild their claims from the tables",
            "run `lpa materialize rebuild` over the time of the wrong clock",
        ]

    def _stopped(self, found: WrongTimesFindings, context: Context) -> str:
        if not found.of_topic:
            return "no consumer group is concerned"
        admin = admin_client(context.settings)
        require_stopped(admin, context.settings)
        require_stopped(admin, of_derivation(context.settings))
        return "the groups have no members"

    def _claims(self, context: Context) -> str:
        settings = context.settings
        with opened(context.sink, settings) as (client, name):
            stored = positions(client, stored_tables(client, name))
            removed = sum(_removed(claims.of_partition(settings, partition), settings) for partition in stored)
            if _removed(claims.of_files(settings), settings):
                of_files = [each for each in stored if each.topic not in settings.quality.topics]
                claims.rebuild(client, name, of_files, settings)
                removed += 1
        return f"{removed} stores"

    def _set(self, found: WrongTimesFindings, context: Context) -> str:
        now, changed = self._clock(), 0
        with opened(context.sink, context.settings) as (client, name):
            for table in _dated(stored_tables(client, name)):
                for rows, _, _ in _wrong(client, table, found.since):
                    client.command(
                        sql_of("set_times.sql", table.target),
                        parameters={"since": found.since, "now": now},
                        settings=_SYNCHRONOUSLY,
                    )
                    changed += rows
        return counted(changed, "row")


def _dated(tables: Sequence[StoredTable]) -> list[StoredTable]:
    """Those whose times count: a gap that is known holds nothing that could expire too early."""
    return [
        table
        for table in tables
        if table.tells_positions and "ingestion_timestamp" in table.columns and table.name != KNOWN_GAPS_TABLE.name
    ]


def _wrong(client: Client, table: StoredTable, since: int) -> Iterator[tuple[int, int, int]]:
    """Rows behind that time, the first and the last time of them; nothing if there are none."""
    query = sql_of("times_since.sql", table.target)
    for rows, first, newest in client.query(query, parameters={"since": since}).result_rows:
        if rows:
            yield rows, first, newest


def _removed(folder: Path, settings: Settings) -> bool:
    """Remove the claims in a folder; return whether there were any. Raises DedupStoreError if they are in use."""
    claims.require_unused(folder, settings)
    there = claims.are_there(folder)
    if there:
        claims.put_back(None, folder)
    return there
