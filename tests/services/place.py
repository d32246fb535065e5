"""A database of a test's own on a server, and commands on it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from lpa_core.cli import run
from services.clickhouse import ClickHouseServer
from services.content import content

SECRETS: Final = ("a-token-nobody-knows", "a-sasl-password", "a-secret-access-key", "a-password-of-a-url")
"""The admin endpoint's token, passwords of Kafka, of an object store, of a URL: none of them is ever shown."""


@attrs.frozen
class Place:
    """A database of the test's own, and commands on it."""

    server: ClickHouseServer
    database: str
    capsys: pytest.CaptureFixture[str]

    def lpa(self, *arguments: str, status: int = 0) -> Any:
        """What the command prints as JSON, or on standard error."""
        self.capsys.readouterr()
        where = f"clickhouse://127.0.0.1:{self.server.port}"
        done = run([*arguments, "--sink", where, "--json"])
        said = self.capsys.readouterr()
        assert done == status, said.err + said.out
        return json.loads(said.out) if said.out.startswith(("{", "[")) else said.err

    def command(self, statement: str) -> None:
        with self.server.client() as client:
            client.command(statement)

    def query(self, query: str) -> list[tuple[Any, ...]]:
        with self.server.client() as client:
            return [tuple(row) for row in client.query(query).result_rows]

    def databases(self) -> list[str]:
        """Names of the place's own, and of what is beside it."""
        return [
            name
            for (name,) in self.query(
                f"SELECT name FROM system.databases WHERE startsWith(name, '{self.database}') ORDER BY name"
            )
        ]

    def insert(self, first: int, end: int) -> None:
        with self.server.client() as client:
            client.command(
                f"INSERT INTO {self.database}.streaming_events (id, dedup_key, raw_json, source_topic, source_offset) "
                "SELECT toString(number), toString(number), toString(sipHash64(number)), 'a pipe', number "
                f"FROM numbers({first}, {end - first})"
            )

    def content(self) -> dict[str, Any]:
        with self.server.client() as client:
            return content(client, self.database)

    def truncate_a_part(self, table: str) -> None:
        with self.server.client() as client:
            query = f"SELECT path FROM system.parts WHERE database = '{self.database}' AND table = '{table}' AND active"
            part = Path(client.query(query).result_rows[0][0])
        largest = max((path for path in part.iterdir() if path.is_file()), key=lambda path: path.stat().st_size)
        self.server.kill()
        os.truncate(largest, largest.stat().st_size // 2)
        self.server.start()

    def rows(self) -> int:
        return int(self.content()["streaming_events"][0])
