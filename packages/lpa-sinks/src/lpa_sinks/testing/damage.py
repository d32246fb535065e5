"""Damages what is stored, and repairs it again: for tests of what notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, final

import attrs

from lpa_sinks.parity import AssertionResult, Severity, ask, assertions
from lpa_sinks.schema import statements
from lpa_sinks.testing.stored_events import StoredEvents

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
END: Final = datetime(2100, 1, 1, tzinfo=UTC)


@final
class DerivedDatabase:
    """Stored events with what is derived of them."""

    def __init__(self, events: StoredEvents) -> None:
        self.events = events
        self.name = events.name
        self.client = events.client

    def command(self, sql: str) -> None:
        """Run a statement; ``$`` stands for the database."""
        self.client.command(sql.replace("$", self.name), settings={"mutations_sync": 2})

    def ask(self, name: str, end: datetime = END) -> AssertionResult:
        (assertion,) = (each for each in assertions() if each.name == name)
        return ask(self.client, self.name, assertion, START, end)

    def change(self, fact: str, where: str = "1", **columns: str) -> None:
        """Write a later version of one of the facts that ``where`` finds, with these columns changed."""
        self.change_all(fact, f"{where} LIMIT 1", **columns)

    def change_all(self, fact: str, where: str = "1", **columns: str) -> None:
        """The same for all of them."""
        replaced = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        self.command(
            f"INSERT INTO $.{fact}_versions SELECT * REPLACE ({replaced}, version + 1 AS version) "
            f"FROM (SELECT * FROM $.{fact}_versions FINAL WHERE {where})"
        )

    def view(self, name: str, where: str = "1", twice: bool = False, **columns: str) -> None:
        """Make a view say something else."""
        replaced = ", ".join(f"{value} AS {column}" for column, value in columns.items())
        what = f"* REPLACE ({replaced})" if replaced else "*"
        query = self._as_select(name)
        again = " UNION ALL SELECT * FROM seen" if twice else ""
        self.command(f"DROP VIEW $.{name}")
        self.command(
            f"CREATE VIEW $.{name} AS WITH seen AS (SELECT {what} FROM ({query}) WHERE {where}) "
            f"SELECT * FROM seen{again}"
        )

    @contextmanager
    def mended(self, tables: Sequence[str], views: Sequence[str]) -> Iterator[None]:
        """Keep tables as they are now, and views as the schema has them, no matter how they are damaged meanwhile."""
        for table in tables:
            self.command(f"CREATE TABLE $.kept_{table} AS $.{table}")
            self.command(f"INSERT INTO $.kept_{table} SELECT * FROM $.{table}")
        try:
            yield
        finally:
            for table in tables:
                self.command(f"EXCHANGE TABLES $.kept_{table} AND $.{table}")
                self.command(f"DROP TABLE $.kept_{table} SYNC")
            for view in views:
                self.command(f"DROP VIEW IF EXISTS $.{view} SYNC")
                (made,) = (each for each in statements([], self.name) if f".{view}\n(" in each or f".{view} AS" in each)
                self.client.command(made)

    def _as_select(self, view: str) -> str:
        found = self.client.query(
            f"SELECT as_select FROM system.tables WHERE database = '{self.name}' AND name = '{view}'"
        )
        return str(found.result_rows[0][0])


@final
@attrs.frozen
class Damage:
    """What is done to which tables and views, and what the assertion is to find then."""

    do: Callable[[DerivedDatabase], None]
    tables: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    severity: Severity = Severity.FAIL


def fact(name: str, where: str = "1", severity: Severity = Severity.FAIL, **columns: str) -> Damage:
    """One fact is changed."""
    return Damage(lambda stored: stored.change(name, where, **columns), (f"{name}_versions",), severity=severity)


def facts(name: str, where: str = "1", severity: Severity = Severity.FAIL, **columns: str) -> Damage:
    """Many facts are changed."""
    return Damage(lambda stored: stored.change_all(name, where, **columns), (f"{name}_versions",), severity=severity)


def rows(table: str, sql: str, severity: Severity = Severity.FAIL) -> Damage:
    """A statement is run against a table; ``#`` stands for its name."""
    return Damage(lambda stored: stored.command(sql.replace("#", f"$.{table}")), (table,), severity=severity)


def view(
    name: str, where: str = "1", twice: bool = False, severity: Severity = Severity.FAIL, **columns: str
) -> Damage:
    """A view says something else."""
    return Damage(lambda stored: stored.view(name, where, twice, **columns), views=(name,), severity=severity)
