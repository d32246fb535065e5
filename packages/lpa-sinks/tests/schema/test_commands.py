"""``lpa schema``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from structlog.testing import capture_logs

from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_core.tables.table import Table
from lpa_sinks.commands.schema import schema_app
from lpa_sinks.schema.ddl import sql_file

Run = Callable[..., Any]


@pytest.fixture
def run(engine: Client, engine_path: Path, database: str, tmp_path: Path) -> Run:
    """Runs ``lpa schema`` with these arguments, on the test's database unless they name another."""
    app = schema_app(
        PluginManager(
            Settings(clickhouse=ClickHouseSettings(database=database), lpa=ProcessSettings(data_dir=tmp_path / "data"))
        ).context
    )

    def command(name: str, *arguments: str) -> Any:
        sink = () if name == "show" or "--sink" in arguments else ("--sink", f"chdb://{engine_path}")
        return app([name, *sink, *arguments], result_action="return_value", exit_on_error=False)

    return command


def test_apply_names_what_it_made(run: Run, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("apply")
    first = capsys.readouterr().out.splitlines()
    assert f"{database}.streaming_events" in first
    assert f"{database}.raw_payment_events" in first
    run("apply")
    assert capsys.readouterr().out == f"0 made in {database}, the rest was there\n"


def test_apply_as_json(run: Run, tables: Sequence[Table], capsys: pytest.CaptureFixture[str]) -> None:
    with capture_logs():
        run("apply", "--json")
    assert {table.name for table in tables} < set(json.loads(capsys.readouterr().out))


def test_check_agrees(run: Run, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("apply")
    capsys.readouterr()
    assert run("check") == 0
    assert f"tables of {database} agree" in capsys.readouterr().out
    assert run("check", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_check_names_a_drifted_column(
    run: Run, engine: Client, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("apply")
    engine.command(f"ALTER TABLE {database}.discovery_results MODIFY COLUMN latency_ms Float64")
    capsys.readouterr()
    assert run("check") == 1
    printed = capsys.readouterr().out
    for word in ("discovery_results", "latency_ms", "UInt32", "Float64"):
        assert word in printed
    assert run("check", "--json") == 1
    assert json.loads(capsys.readouterr().out) == [
        {
            "table": "discovery_results",
            "kind": "type",
            "place": database,
            "column": "latency_ms",
            "expected": "UInt32",
            "found": "Float64",
            "stops_writing": True,
        }
    ]


def test_check_of_a_folder_without_a_database_makes_none(run: Run, tmp_path: Path) -> None:
    with pytest.raises(SinkMisconfigured, match="there is no embedded database yet"):
        run("check", "--sink", f"chdb://{tmp_path}/nothing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["apply", "check"])
def test_a_server_that_does_not_answer(run: Run, name: str) -> None:
    with pytest.raises(SinkUnavailable, match="Connection refused"):
        run(name, "--sink", "clickhouse://127.0.0.1:9/db")


def test_show_is_what_clickhouse_client_takes(run: Run, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("show")
    shown = capsys.readouterr().out
    assert shown.startswith(sql_file("01-schema.sql").replace("livepeer_analytics", f"`{database}`"))
    run("show", "--json")
    assert len(json.loads(capsys.readouterr().out)) == shown.count(";\n")
    run("show", "--markdown")
    assert "### streaming_events\n" in capsys.readouterr().out
