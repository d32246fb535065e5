"""A database and a data folder, and ``lpa`` on them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, final

import attrs
import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.cli import run

MOMENT: Final = 1_767_873_600_000
"""2026-01-08 12:00 UTC."""

FIX: Final = """
[[fix]]
class = "SCHEMA_INVALID"
reason = "missing_field"
where = [{ path = "data.pipeline", missing = true }]
steps = [{ set = "data.pipeline", value = "live-video-to-video" }]
"""


def event(identity: str, timestamp: object = MOMENT, **data: object) -> dict[str, Any]:
    """An event that lacks ``data.pipeline`` unless it is given."""
    own = {"type": "error", "stream_id": "s", "request_id": "r", "message": "m", "capability": "c", **data}
    return {"id": identity, "type": "ai_stream_status", "timestamp": timestamp, "gateway": "g", "data": own}


@final
@attrs.frozen
class ReplayPlace:
    """Where a test works: ``lpa`` is run in ``folder``, on a database that nobody else has."""

    folder: Path
    engine: Client
    engine_path: Path
    database: str
    capsys: pytest.CaptureFixture[str]

    @property
    def sink(self) -> str:
        return f"chdb://{self.engine_path}"

    def lpa(self, *arguments: str, status: int = 0) -> Any:
        """What a command prints: JSON where it prints any, else what it says on standard error."""
        self.capsys.readouterr()
        found = run([*arguments, *(() if "--plan" in arguments else ("--sink", self.sink)), "--json"])
        printed = self.capsys.readouterr()
        assert found == status, printed.err
        return json.loads(printed.out) if printed.out else printed.err

    def plan(self, *options: str, status: int = 0) -> Any:
        return self.lpa("replay", "plan", *options, "--output", "plan.json", status=status)

    def replay(self, *options: str, status: int = 0) -> Any:
        return self.lpa("replay", "run", *options, status=status)

    def verified(self, replay_id: str, status: int = 0) -> dict[str, Any]:
        """The checks by name."""
        found = self.lpa("replay", "verify", replay_id, status=status)
        return {check["name"]: check for check in found["checks"]}

    def ingest(self, events: Iterable[dict[str, Any] | bytes], name: str = "events.ndjson", *options: str) -> None:
        lines = [each if isinstance(each, bytes) else msgspec.json.encode(each) for each in events]
        (self.folder / name).write_bytes(b"".join(line + b"\n" for line in lines))
        self.lpa("ingest", name, *options)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """``{}`` in a query stands for the database."""
        return [tuple(row) for row in self.engine.query(sql.replace("{}", self.database)).result_rows]

    def count(self, table: str) -> int:
        ((found,),) = self.rows(f"SELECT count() FROM {{}}.{table}")
        return int(found)
