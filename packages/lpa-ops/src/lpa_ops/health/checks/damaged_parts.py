"""Whether the files of ClickHouse's parts can be read.

Reading all of a large database takes hours. Each look reads some parts for a while, those first that were not read for
the longest time; a running job gets round.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator
from itertools import count
from typing import Any, Final, NamedTuple, final

from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.settings.thresholds import State, Thresholds
from lpa_ops.health.database import HealthDatabase, opened
from lpa_ops.health.remedy import command
from lpa_ops.health.runbook import section
from lpa_ops.positions.set_aside_tables import is_set_aside
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.retries import AT_ONCE

_NONE: Final = Thresholds(0, 0)
_SHARE_OF_TIMEOUT: Final = 0.25
_GONE: Final = (60, 232)
"""UNKNOWN_TABLE and NO_SUCH_DATA_PART: it was dropped, or merged into another part, since the parts were listed."""
_ASSUMED_BYTES_PER_SECOND: Final = 100_000_000
_SHOWN: Final = 3


@final
class Part(NamedTuple):
    database: str
    table: str
    name: str
    bytes: int


@final
class PartReader:
    """Remembers which parts it has read, as long as the process lives."""

    def __init__(self) -> None:
        self._turns = count(1)
        self._read: dict[Part, int] = {}
        """The turn at which a part was read last."""
        self._broken: dict[Part, str] = {}
        self._bytes, self._seconds = float(_ASSUMED_BYTES_PER_SECOND), 1.0

    def judge(self, scope: Scope) -> Finding:
        seconds = scope.settings.health.costly_timeout_seconds * _SHARE_OF_TIMEOUT
        with opened(scope) as database:
            # Two databases of one name, on two servers, are told apart by the sink.
            place = f"{scope.sink} {database.name}"
            parts = [Part(place, *row.values()) for row in _of_living_tables(database.ask("parts.sql"))]
            broken = [
                f"{row['table']}: the part {row['name']} was found broken and set aside"
                for row in _of_living_tables(database.ask("broken_parts.sql"))
            ]
            self._forget(place, parts)
            if not database.only_reads:
                self._look(database, parts, seconds)
        broken += [f"{part.table}: the part {part.name} cannot be read ({why})" for part, why in self._found(place)]
        if not parts and not broken:
            raise NotApplicable("no table has rows")
        read = sum(1 for part in parts if part in self._read)
        if broken:
            more = f" (and {len(broken) - _SHOWN} more)" if len(broken) > _SHOWN else ""
            return Finding(
                State.CRITICAL,
                f"{'; '.join(broken[:_SHOWN])}{more}",
                len(broken),
                _NONE,
                f"{command(scope, 'recover clickhouse-corruption')} shows what can be brought back; it changes nothing",
            )
        if not read and database.only_reads:
            raise NotApplicable(
                "another process has the database open: `lpa health` reads its parts once that has ended"
            )
        if not read:
            raise NotApplicable(
                f"none of {len(parts):,} parts could be read in {seconds:g} s: raise HEALTH_COSTLY_TIMEOUT_SECONDS"
            )
        return Finding(State.OK, f"{read:,} of {len(parts):,} parts were read and are whole", 0, _NONE)

    def _look(self, database: HealthDatabase, parts: Collection[Part], seconds: float) -> None:
        """Read parts until the time is over: those that were broken, then those whose last turn is longest ago."""

        def rank(part: Part) -> tuple[bool, int, float]:
            return part not in self._broken, self._read.get(part, 0), random.random()

        deadline = time.monotonic() + seconds
        for part in sorted(parts, key=rank):
            began = time.monotonic()
            if began >= deadline:
                return
            if part.bytes / (self._bytes / self._seconds) > deadline - began:
                continue  # nothing interrupts the reading of a part
            why = _trouble(database, part)
            self._read[part] = next(self._turns)
            self._bytes, self._seconds = self._bytes + part.bytes, self._seconds + time.monotonic() - began
            if why:
                self._broken[part] = why
            else:
                self._broken.pop(part, None)

    def _forget(self, place: str, parts: Collection[Part]) -> None:
        """Parts that were merged or dropped."""
        there = frozenset(parts)

        def lives(part: Part) -> bool:
            return part.database != place or part in there

        self._read = {part: turn for part, turn in self._read.items() if lives(part)}
        self._broken = {part: why for part, why in self._broken.items() if lives(part)}

    def _found(self, place: str) -> list[tuple[Part, str]]:
        return sorted((part, why) for part, why in self._broken.items() if part.database == place)


def _of_living_tables(rows: Collection[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (row for row in rows if not is_set_aside(row["table"]))


def _trouble(database: HealthDatabase, part: Part) -> str:
    """Why a part cannot be read; empty if it can. Raises SinkUnavailable, SinkMisconfigured."""
    # Names of tables and parts come from the database itself.
    statement = (
        f"CHECK TABLE {quoted(database.name)}.`{part.table}` PART '{part.name}' "
        "SETTINGS check_query_single_value_result = 0"
    )

    def check() -> str:
        try:
            return database.client.raw_query(statement, fmt="TabSeparated").decode(errors="replace")
        except ClickHouseError as error:
            if getattr(error, "code", None) in _GONE:
                return ""
            raise

    answer = AT_ONCE.run(f"{database.name}: check the part {part.name} of {part.table}", check)
    for line in answer.splitlines():
        _, passed, why = (*line.split("\t"), "", "")[:3]
        if passed == "0":
            return " ".join((why.partition("Exception: ")[2] or why)[:160].split()) or "ClickHouse does not say why"
    return ""


CHECK: Final = HealthCheck(
    "damaged_parts", "Unreadable parts", PartReader().judge, "parts", costly=True, runbook=section("damaged_parts")
)
