"""`lpa recover schema-rollback` takes one migration back, however often it is run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from structlog.testing import capture_logs

from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_ops.commands.recover import recover_app
from lpa_sinks.commands.schema_migrations import apply_migrations
from lpa_sinks.schema.apply import apply

Recover = Callable[..., Any]


@pytest.fixture
def migrations(engine: Client, database: str, tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    for number in (1, 2):
        (made := folder / f"000{number}-view").mkdir(parents=True)
        (made / "up.sql").write_text(
            f"CREATE OR REPLACE VIEW livepeer_analytics.v_{number} AS\nSELECT {number} AS n;\n"
        )
        (made / "down.sql").touch()
    apply(engine, database, [])
    apply_migrations(engine, database, folder)
    return folder


@pytest.fixture
def recover(engine_path: Path, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Recover:
    app = recover_app(
        PluginManager(
            Settings(clickhouse=ClickHouseSettings(database=database), lpa=ProcessSettings(data_dir=tmp_path / "data"))
        ).context
    )

    def command(*options: str) -> Any:
        capsys.readouterr()
        arguments = ["schema-rollback", "--sink", f"chdb://{engine_path}", "--json", *options]
        with capture_logs():
            assert app(arguments, result_action="return_value", exit_on_error=False) == 0
        return json.loads(capsys.readouterr().out)

    return command


def views(engine: Client, database: str) -> set[str]:
    found = engine.query(f"SELECT name FROM system.tables WHERE database = '{database}'")
    return {name for (name,) in found.result_rows} & {"v_1", "v_2"}


@pytest.mark.slow
def test_run_twice_it_takes_one_back(migrations: Path, recover: Recover, engine: Client, database: str) -> None:
    folder = ("--migrations", str(migrations))
    assert recover(*folder, "--execute")["damage"]
    assert views(engine, database) == {"v_1"}
    again = recover(*folder, "--execute")
    assert (again["damage"], again["lost"]) == (
        [],
        ["0002-view is rolled back already; `lpa schema rollback` takes the one before it back"],
    )
    assert views(engine, database) == {"v_1"}


@pytest.mark.slow
def test_what_was_added_is_taken_back_where_the_files_are_there(
    migrations: Path, recover: Recover, engine: Client, database: str, tmp_path: Path
) -> None:
    (made := migrations / "0003-table").mkdir()
    (made / "up.sql").write_text(
        "CREATE TABLE IF NOT EXISTS livepeer_analytics.added (n UInt8) ENGINE = MergeTree ORDER BY n;\n"
    )
    (made / "down.sql").write_text("DROP TABLE IF EXISTS livepeer_analytics.added;\n")
    apply_migrations(engine, database, migrations)
    assert recover("--migrations", str(migrations), "--execute")["damage"]
    assert engine.query(f"EXISTS TABLE {database}.added").result_rows == [(0,)]
    apply_migrations(engine, database, migrations)
    (tmp_path / "empty").mkdir()
    assert recover("--migrations", str(tmp_path / "empty"), "--execute")["damage"]
    assert engine.query(f"EXISTS TABLE {database}.added").result_rows == [(1,)]
    assert views(engine, database) == {"v_1", "v_2"}


def test_the_plan_says_whether_the_files_are_there(migrations: Path, recover: Recover, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (step,) = recover("--migrations", str(migrations))["steps"]
    assert step["what"] == "define the views as they were before 0002-view, then run its down.sql"
    (step,) = recover("--migrations", str(tmp_path / "empty"))["steps"]
    assert step["what"] == (
        f"define the views as they were before 0002-view, then leave what it added: {tmp_path}/empty does not hold it"
    )
