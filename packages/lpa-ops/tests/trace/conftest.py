"""A database with every kind of fate in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.settings.loading import described
from lpa_replay.testing.place import FIX, ReplayPlace


@pytest.fixture
def place(
    tmp_path: Path,
    engine: Client,
    engine_path: Path,
    empty_database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> ReplayPlace:
    for setting in described():
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.setenv("CLICKHOUSE_DATABASE", empty_database)
    monkeypatch.setenv("LPA_LOG_LEVEL", "error")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fix.toml").write_text(FIX)
    return ReplayPlace(tmp_path, engine, engine_path, empty_database, capsys)
