"""``lpa query``: reads, changes nothing, and prints a bounded number of rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.errors import UsageError
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, Settings
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_sinks.clickhouse.read_only import ask, require_limits, require_reading
from lpa_sinks.commands.query import query_app

Run = Callable[..., Any]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def filled(engine: Client) -> Any:
    """The name of a database with a table of three rows."""
    engine.command("CREATE DATABASE IF NOT EXISTS queried")
    engine.command("CREATE OR REPLACE TABLE queried.t (a Int64, b String, c Nullable(DateTime64(3, 'UTC'))) ORDER BY a")
    engine.command(
        "INSERT INTO queried.t VALUES (1, 'x\\x1b[31m', NULL), (2, 'y,\"z', '2026-01-08 12:00:00'), (3, '', NULL)"
    )
    yield "queried"
    engine.command("DROP DATABASE queried SYNC")


@pytest.fixture
def run(engine_path: Path, filled: str) -> Run:
    settings = Settings(clickhouse=ClickHouseSettings(database=filled))
    app = query_app(PluginManager(settings).context)

    def command(*arguments: str) -> Any:
        words = [*arguments, "--sink", f"chdb://{engine_path}"]
        return app(words, result_action="return_value", exit_on_error=False)

    return command


def test_rows_are_printed_as_a_table(run: Run, capsys: Capture) -> None:
    run("SELECT * FROM t ORDER BY a; -- all")
    assert capsys.readouterr().out == (
        'a  b          c\n1  x\\x1b[31m  null\n2  y,"z       2026-01-08T12:00:00\n3             null\n3 rows\n'
    )


def test_rows_are_printed_as_json_and_as_csv(run: Run, capsys: Capture) -> None:
    run("SELECT a, c, [a, 2] AS list, tuple(b, nan) AS pair FROM t WHERE a = 2", "--json")
    assert json.loads(capsys.readouterr().out) == [
        {"a": 2, "c": "2026-01-08T12:00:00", "list": [2, 2], "pair": ['y,"z', "nan"]}
    ]
    run("SELECT a, b, c FROM t ORDER BY a DESC", "--csv")
    assert [*csv.reader(io.StringIO(capsys.readouterr().out))] == [
        ["a", "b", "c"],
        ["3", "", ""],
        ["2", 'y,"z', "2026-01-08T12:00:00"],
        ["1", "x\x1b[31m", ""],
    ]


@pytest.mark.parametrize(
    "sql", ["SELECT number FROM numbers(1000000)", "WITH 1 AS x SELECT x FROM numbers(10)", "FROM t SELECT a"]
)
def test_no_more_rows_come_than_are_wanted(run: Run, capsys: Capture, sql: str) -> None:
    run(sql, "--limit", "2", "--csv")
    shown = capsys.readouterr()
    assert shown.out.count("\n") == 3
    assert shown.err == "there are more than 2 rows: give --limit\n"


@pytest.mark.parametrize(
    "sql",
    [
        *("SHOW TABLES", "DESCRIBE t", "DESC TABLE t", "EXISTS t", "EXPLAIN SELECT 1"),
        *("(SELECT 1)", "/* why */ SELECT 1", "SELECT 'insert into'"),
    ],
)
def test_what_tells_about_tables_is_answered(run: Run, capsys: Capture, sql: str) -> None:
    run(sql)
    assert capsys.readouterr().out.endswith(("row\n", "rows\n"))


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("", "the query is empty"),
        (" ; -- nothing", "the query is empty"),
        ("INSERT INTO t VALUES (4, '', NULL)", "INSERT is not a query that only reads"),
        ("drop table t", "DROP is not a query that only reads"),
        ("/* SELECT */ ALTER TABLE t DELETE WHERE 1", "ALTER is not"),
        ("SELECT 1; DROP TABLE t", "there are several statements"),
        ("SELECT ';'; SELECT 2", "there are several statements"),
        ("SELECT * FROM t INTO OUTFILE 'x.csv'", "INTO OUTFILE writes a file"),
        ("WITH a AS (SELECT 1) INSERT INTO FUNCTION file('x.csv') SELECT * FROM a", "INSERT INTO changes something"),
        ("EXPLAIN insert into t SELECT 9, '', NULL", "INSERT INTO changes something"),
        ("SELECT 1 FORMAT CSV", "FORMAT is not for here"),
        ("SET readonly = 0", "SET is not"),
        ("SELECT nothing FROM t", "UNKNOWN_IDENTIFIER"),
        ("SELECT FROM WHERE", "SYNTAX_ERROR"),
        ("SELECT * FROM nowhere", "UNKNOWN_TABLE"),
        ("SELECT throwIf(1)", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
    ],
)
def test_anything_else_is_refused_in_one_line(run: Run, engine: Client, sql: str, told: str) -> None:
    with pytest.raises((UsageError, SinkMisconfigured)) as refused:
        run(sql)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert engine.query("SELECT count() FROM queried.t").result_rows == [(3,)]


def test_the_engine_itself_lets_a_query_change_nothing(
    engine_path: Path, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the statement looks like."""
    from lpa_sinks.clickhouse import read_only
    from lpa_sinks.clickhouse.client import connect, endpoint

    monkeypatch.setattr(read_only, "require_reading", lambda sql: sql)
    client = connect(endpoint(f"chdb://{engine_path}", database="", user=""))
    try:
        for sql in (
            "INSERT INTO t SELECT 9, '', NULL",
            "SELECT 1 SETTINGS readonly = 0",
            "CREATE TABLE u (a Int8) ORDER BY a",
        ):
            with pytest.raises(Exception, match=r"(?i)readonly|read-only"):
                ask(client, filled, sql, 10, 10)
        assert ask(client, filled, "SELECT count() FROM t", 10, 10).rows == [(3,)]
    finally:
        client.close()


@given(st.text(alphabet="'\"`;-/*\\ \nSELECTa1()#", max_size=30))
def test_a_statement_is_one_or_refused(text: str) -> None:
    try:
        kept = require_reading(f"SELECT {text}")
    except UsageError:
        return
    assert f"SELECT {text}".startswith(kept)


def test_every_function_that_asks_a_model_or_counts_elsewhere_is_refused(engine: Client) -> None:
    asked = "SELECT name FROM system.functions WHERE match(name, '(?i)^(ai[a-z]+|generateSerialID)$') ORDER BY name"
    names = [name for (name,) in engine.query(asked).result_rows]
    assert len(names) > 8
    for name in names:
        with pytest.raises(UsageError, match="may read files or ask other servers"):
            require_limits(f"SELECT {name}('x')")
