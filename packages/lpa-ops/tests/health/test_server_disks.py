"""The disks of a ClickHouse server are judged too, wherever it runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import attrs
import pytest

from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import disk
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_sinks.testing.http_front import PASSWORD, USER, Front


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def served(day: CheckedDatabase, engine_path: Path) -> Iterator[CheckedDatabase]:
    """The day, as a server has it."""
    clickhouse = attrs.evolve(day.settings.clickhouse, user=USER, password=PASSWORD)
    with Front(engine_path).serving() as front:
        sink = f"clickhouse://127.0.0.1:{front.port}/{clickhouse.database}"
        yield attrs.evolve(day, settings=attrs.evolve(day.settings, clickhouse=clickhouse), sink=sink)


def test_a_disk_of_the_server_that_is_filling(served: CheckedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1000, 0, 1000))
    found = served(disk.CHECK, disk_free_share="0,0").finding
    assert (found.state, found.action) == (State.OK, ""), found.detail
    assert "100% of" in found.detail
    found = served(disk.CHECK, disk_free_share="0.9999,0.9999").finding
    assert found.state is State.CRITICAL, found.detail
    assert "of ClickHouse's disk default is free" in found.detail
    assert "make room on ClickHouse's disk default" in found.action
