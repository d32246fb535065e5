"""What the console knows of its database without asking again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from lpa_ops.console import database as module
from lpa_ops.console.database import ConsoleDatabase


@attrs.define
class Answer:
    result_rows: list[tuple[str, ...]]


@attrs.define
class Server:
    """Readers of a database with these tables, and their client; counts what is asked."""

    tables: list[str]
    asked: int = 0

    def run(self, action: Callable[[Any], Any]) -> Any:
        return action(self)

    def query(self, text: str, parameters: object) -> Answer:
        self.asked += 1
        of_two = "engine" in text or "system.columns" in text
        return Answer([(name, "MergeTree") if of_two else (name,) for name in self.tables])


def test_which_tables_there_are_is_asked_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    server = Server([])
    readers: Any = server
    database = ConsoleDatabase(readers, "lpa", 10)
    assert not database.questions().has_events
    server.tables.append("streaming_events")
    assert database.questions().has_events, "a database without tables is looked at again"
    asked = server.asked
    server.tables.append("ignored_events")
    assert "ignored_events" not in database.questions().names
    assert server.asked == asked
    now += 61
    assert "ignored_events" in database.questions().names
