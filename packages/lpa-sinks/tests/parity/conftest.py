"""A small database in which everything agrees, and a way to damage and mend it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, final

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.generate.generator import START_MS, generate
from lpa_core.lifecycle.rules import FoldRules
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.rows import Span
from lpa_sinks.parity import Finding, ask, assertions
from lpa_sinks.schema import statements
from lpa_sinks.testing.stored import StoredEvents

HOUR: Final = 3_600_000
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
END: Final = datetime(2100, 1, 1, tzinfo=UTC)
FRESH: Final = "facts_are_fresh"
"""Says what these old events are: not fresh."""


@final
class Stored:
    """Stored events with what is derived of them."""

    def __init__(self, events: StoredEvents) -> None:
        self.events = events
        self.name = events.name
        self.client = events.client

    def command(self, sql: str) -> None:
        """Run a statement; ``$`` stands for the database."""
        self.client.command(sql.replace("$", self.name), settings={"mutations_sync": 2})

    def ask(self, name: str, end: datetime = END) -> Finding:
        (assertion,) = (each for each in assertions() if each.name == name)
        return ask(self.client, self.name, assertion, START, end)

    def change(self, fact: str, where: str = "1", **columns: str) -> None:
        """Write a later version of one of the facts that ``where`` finds, with these columns changed."""
        replaced = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        self.command(
            f"INSERT INTO $.{fact}_versions SELECT * REPLACE ({replaced}, version + 1 AS version) "
            f"FROM $.{fact}_versions FINAL WHERE {where} LIMIT 1"
        )

    def change_all(self, fact: str, where: str = "1", **columns: str) -> None:
        replaced = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        self.command(
            f"INSERT INTO $.{fact}_versions SELECT * REPLACE ({replaced}, version + 1 AS version) "
            f"FROM $.{fact}_versions FINAL WHERE {where}"
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
        """Keep tables as they are now, and views as the schema has them, however they are damaged meanwhile."""
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


@pytest.fixture(scope="module")
def stored(engine: Client) -> Iterator[Stored]:
    events = StoredEvents(engine, "parity")
    records = [*generate(1200, duplicates=0, bad=0.02, sessions=20, seed=3, start_ms=START_MS)]
    events.store([*records, *_odd_sessions(records)])
    rebuild = Rebuild(events.database, FoldRules(), Span(START_MS - 24 * HOUR, START_MS + 24 * HOUR))
    rebuild.prepare()
    while rebuild.step():
        pass
    yield Stored(events)
    engine.command("DROP DATABASE parity SYNC")


def _odd_sessions(records: Sequence[bytes]) -> Iterator[bytes]:
    """Sessions that are idle: over the end of an hour, within an hour, and for long."""
    status = next(event for event in map(_read, records) if event.get("type") == "ai_stream_status")
    edge = (START_MS // HOUR + 2) * HOUR
    for name, times in {
        "tail": [edge + 3 * HOUR - 5_000, edge + 3 * HOUR + 5_000],
        "short": [edge + 60_000, edge + 61_000],
        "long": [edge + 60_000, edge + 70_000, edge + 80_000, edge + 90_000],
    }.items():
        for number, at in enumerate(times):
            data = {
                **status["data"],
                **{"stream_id": name, "request_id": name, "state": "OFFLINE", "start_time": times[0], "timestamp": at},
                "inference_status": {"fps": 0},
            }
            yield json.dumps({**status, "id": f"{name}-{number}", "timestamp": at, "data": data}).encode()


def _read(record: bytes) -> dict[str, Any]:
    try:
        read = json.loads(record)
    except ValueError:
        return {}
    return read if isinstance(read, dict) and isinstance(read.get("data"), dict) else {}
