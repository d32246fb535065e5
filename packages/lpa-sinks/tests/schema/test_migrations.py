"""``lpa schema plan``, ``apply`` and ``rollback`` with migrations."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.errors import UsageError
from lpa_core.tables.table import Table
from lpa_sinks.schema.apply import apply
from lpa_sinks.schema.ddl import in_database
from lpa_sinks.schema.migrate import _wider
from lpa_sinks.schema.migrations import BUILTIN, Applied, MigrationError, applied_migrations, remember

VIEW = "raw_streaming_events"
ADD = "ALTER TABLE livepeer_analytics.streaming_events ADD COLUMN IF NOT EXISTS zone String DEFAULT '';\n"
PAYMENTS = "livepeer_analytics.payment_events"
ADDITION = ADD.rstrip(";\n")
DROP = "ALTER TABLE livepeer_analytics.streaming_events DROP COLUMN IF EXISTS zone;\n"
CUT_OVER = (
    f"CREATE OR REPLACE VIEW livepeer_analytics.{VIEW} AS\n"
    "SELECT *, event_timestamp, event_date, raw_event_uid, data FROM livepeer_analytics.streaming_events"
)
WITH_REGION = f"{CUT_OVER.replace('data FROM', 'data, upper(zone) AS zone_name FROM')};\n"
HALF = f"{CUT_OVER} WHERE source_offset % 2 = 0;\n"

Run = Callable[..., Any]


def write(folder: Path, name: str, up: str, down: str = "") -> None:
    place = folder / "migrations" / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "up.sql").write_text(up)
    (place / "down.sql").write_text(down)


def states(run: Run, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    run("plan", "--json")
    return {each["migration"]: each["state"] for each in json.loads(capsys.readouterr().out)}


def view(engine: Client, database: str) -> tuple[list[str], int]:
    """The view's columns and number of rows."""
    answer = engine.query(f"SELECT * FROM {database}.{VIEW}")
    return list(answer.column_names), len(answer.result_rows)


@pytest.mark.slow
def test_a_migration_is_planned_applied_once_and_rolled_back(
    run: Run, engine: Client, applied: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = view(engine, applied)
    write(tmp_path, "0001-zone", ADD + WITH_REGION, DROP)
    assert states(run, capsys) == {"0001-zone": "pending"}
    assert view(engine, applied) == before, "a plan changes nothing"
    run("apply")
    assert f"{applied}.0001-zone\n" in capsys.readouterr().out
    assert states(run, capsys) == {"0001-zone": "applied"}
    assert view(engine, applied) == ([*before[0][:-4], "zone", *before[0][-4:], "zone_name"], 10)
    run("apply")
    assert "0001-zone" not in capsys.readouterr().out
    run("rollback")
    assert states(run, capsys) == {"0001-zone": "pending"}
    assert view(engine, applied) == before
    assert not engine.query(f"SELECT 1 FROM system.columns WHERE database = '{applied}' AND name = 'zone'").result_rows
    with pytest.raises(UsageError, match="has no migration to roll back"):
        run("rollback")
    run("apply")
    assert states(run, capsys) == {"0001-zone": "applied"}
    run("rollback")
    assert view(engine, applied) == before


def test_a_view_that_gives_other_rows_is_not_cut_over_unless_that_is_meant(
    run: Run, engine: Client, applied: str, tmp_path: Path
) -> None:
    before = view(engine, applied)
    write(tmp_path, "0001-half", HALF)
    with pytest.raises(MigrationError, match=r"gives other rows than before over all rows \(10 before, 5 after"):
        run("apply")
    assert view(engine, applied) == before
    write(tmp_path, "0001-half", f"-- differs: {VIEW}: the odd ones are not wanted\n{HALF}")
    run("apply")
    assert view(engine, applied) == (before[0], 5)
    run("rollback")
    assert view(engine, applied) == before


def test_as_many_rows_with_other_values_are_other_rows(
    run: Run, engine: Client, applied: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "0001-other", f"{CUT_OVER.replace('*', '* REPLACE (id AS gateway)')};\n")
    with pytest.raises(MigrationError, match=r"gives other rows than before over all rows \(10 before, 10 after"):
        run("apply")
    assert states(run, capsys) == {"0001-other": "pending"}
    assert engine.query(f"SELECT DISTINCT gateway FROM {applied}.{VIEW}").result_rows == [("",)]


@pytest.mark.slow
def test_a_view_that_is_defined_like_this_already_is_not_read(
    run: Run, engine: Client, applied: str, tmp_path: Path
) -> None:
    changing = f"CREATE OR REPLACE VIEW livepeer_analytics.{VIEW} AS SELECT rand64() AS data FROM numbers(10);\n"
    write(tmp_path, "0001-changing", f"-- differs: {VIEW}: to have one whose rows never compare\n{changing}")
    with pytest.raises(MigrationError, match="would no longer have"):
        run("apply")
    engine.command(in_database(changing.rstrip(";\n"), applied))
    run("apply")
    write(tmp_path, "0002-again", changing)
    run("apply")
    write(tmp_path, "0003-another", changing.replace("numbers(10)", "numbers(1, 10)"))
    with pytest.raises(MigrationError, match="gives other rows than before"):
        run("apply")


def test_a_view_may_need_a_column_that_another_gets_in_the_same_migration(
    run: Run, engine: Client, applied: str, tmp_path: Path
) -> None:
    above = f"CREATE OR REPLACE VIEW livepeer_analytics.above AS SELECT id FROM livepeer_analytics.{VIEW};\n"
    write(tmp_path, "0001-above", above)
    run("apply")
    write(tmp_path, "0002-zone", ADD + WITH_REGION + above.replace("id FROM", "id, zone_name FROM"))
    run("apply")
    answer = engine.query(f"SELECT * FROM {applied}.above")
    assert (list(answer.column_names), len(answer.result_rows)) == (["id", "zone_name"], 10)
    left = f"SELECT name FROM system.tables WHERE database = '{applied}' AND endsWith(name, '__next')"
    assert engine.query(left).result_rows == []


@pytest.mark.slow
def test_views_are_compared_over_a_day(run: Run, engine: Client, applied: str, tmp_path: Path) -> None:
    for hours in (23, 25):
        engine.command(
            f"INSERT INTO {applied}.streaming_events (timestamp, source_offset, source_record_timestamp) "
            f"SELECT toUnixTimestamp64Milli(now64(3)), {hours}, now64(3) - INTERVAL {hours} HOUR"
        )
    write(tmp_path, "0001-within", f"{CUT_OVER} WHERE source_offset != 23;\n")
    with pytest.raises(MigrationError, match=r"gives other rows than before over the last 24 h \(1 before, 0 after"):
        run("apply")
    assert view(engine, applied)[1] == 12
    shutil.rmtree(tmp_path / "migrations")
    write(tmp_path, "0001-before", f"{CUT_OVER} WHERE source_offset != 25;\n")
    run("apply")
    assert view(engine, applied)[1] == 11


def test_a_migration_that_was_broken_off_is_rolled_back_to_what_was_before_it(
    run: Run, engine: Client, applied: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = view(engine, applied)
    write(tmp_path, "0001-zone", ADD + WITH_REGION, DROP)

    def remember_no_end(client: Client, database: str, known: Applied) -> None:
        if known.state == "applied":
            raise MigrationError("broken off")
        remember(client, database, known)

    with monkeypatch.context() as patched:
        patched.setattr("lpa_sinks.schema.migrate.remember", remember_no_end)
        with pytest.raises(MigrationError, match="broken off"):
            run("apply")
    assert view(engine, applied) != before, "it was cut over"
    run("apply")
    run("rollback")
    assert view(engine, applied) == before


@pytest.mark.slow
def test_failure_04_no_view_is_replaced_by_one_that_cannot_be_read(
    run: Run, engine: Client, applied: str, tmp_path: Path
) -> None:
    write(tmp_path, "0001-zone", ADD + WITH_REGION, DROP)
    run("apply")
    now = view(engine, applied)
    known = list(applied_migrations(engine, applied).values())[-1]
    gone = {**known.previous_views, VIEW: f"CREATE VIEW {applied}.{VIEW} AS SELECT * FROM {applied}.gone"}
    remember(engine, applied, attrs.evolve(known, previous_views=gone))
    with pytest.raises(MigrationError, match=r"as it was before cannot be read.*no view was changed"):
        run("rollback")
    assert view(engine, applied) == now
    remember(engine, applied, known)
    run("rollback")
    assert view(engine, applied) != now


@pytest.mark.slow
def test_a_view_that_a_migration_added_is_gone_after_it(run: Run, engine: Client, applied: str, tmp_path: Path) -> None:
    write(tmp_path, "0001-new", "CREATE OR REPLACE VIEW livepeer_analytics.v_new AS\nSELECT 1 AS n;\n")
    run("apply")
    assert engine.query(f"SELECT n FROM {applied}.v_new").result_rows == [(1,)]
    run("rollback")
    assert not engine.query(f"SELECT 1 FROM system.tables WHERE database = '{applied}' AND name = 'v_new'").result_rows


def test_a_view_keeps_the_columns_that_others_read(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "0001-less", f"{CUT_OVER.replace('*', '* EXCEPT (gateway)')};")
    with pytest.raises(MigrationError, match=f"view {VIEW} would no longer have gateway String; no view was"):
        run("apply")


NOT_ADDING = [
    f"DROP TABLE {PAYMENTS}",
    DROP,
    "RENAME TABLE a TO b",
    f"{ADDITION}, DROP COLUMN gateway",
    f"{ADDITION} /* it's */, DROP COLUMN /* it's */ gateway",
    f"{ADDITION} -- it's\n, DROP COLUMN gateway -- it's",
    f"{ADDITION}; DROP TABLE {PAYMENTS}",
    f"ALTER TABLE {PAYMENTS} MODIFY COMMENT 'it\\'s', DELETE WHERE 1",
    f"ALTER TABLE {PAYMENTS} MODIFY SETTING index_granularity = 1, DELETE WHERE 1",
    f"ALTER TABLE {PAYMENTS} MODIFY COMMENT 'it', gateway = 1",
    f"ALTER TABLE {PAYMENTS} MODIFY TTL event_date, CLEAR COLUMN gateway",
    f"ALTER TABLE {PAYMENTS} MODIFY ORDER BY (event_date, recipient)",
    f"INSERT INTO {PAYMENTS} (id) VALUES (';'); TRUNCATE TABLE {PAYMENTS}",
    f"ALTER\n TABLE {PAYMENTS}\n  DROP COLUMN gateway",
]
ODD_QUOTES = [
    f"ALTER TABLE {PAYMENTS} MODIFY COMMENT $$'$$, DELETE WHERE 1",
    f"ALTER TABLE {PAYMENTS} MODIFY COMMENT \u2018(\u2019, DELETE WHERE 1",
    f"CREATE TABLE IF NOT EXISTS {PAYMENTS}_2 (a Int8) ENGINE = Null COMMENT $a$'$a$; DROP TABLE {PAYMENTS}",
]


def test_a_migration_only_adds(run: Run, tmp_path: Path) -> None:
    for statement in NOT_ADDING:
        write(tmp_path, "0001-drop", statement)
        with pytest.raises(MigrationError, match="a migration only adds"):
            run("plan")


def test_quotes_that_are_not_understood_are_refused(run: Run, tmp_path: Path) -> None:
    for statement in ODD_QUOTES:
        write(tmp_path, "0001-strange", statement)
        with pytest.raises(MigrationError, match="write strings in plain quotes"):
            run("plan")


def test_a_view_takes_the_place_of_no_table(run: Run, tmp_path: Path) -> None:
    table = "payment_events"
    write(tmp_path, "0001-over", f"-- differs: {table}: x\nCREATE OR REPLACE VIEW {PAYMENTS} AS SELECT 1;\n")
    with pytest.raises(MigrationError, match="payment_events is not a view, and would be replaced"):
        run("apply")


@pytest.mark.slow
def test_a_column_that_is_stored_becomes_no_alias(
    run: Run, engine: Client, applied: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "0001-over", f"ALTER TABLE {PAYMENTS} MODIFY COLUMN client_ip String ALIAS upper(request_id);\n")
    with pytest.raises(MigrationError, match=r"payment_events.client_ip is not an alias, and its values would be lost"):
        run("apply")
    assert states(run, capsys) == {"0001-over": "pending"}
    kind = f"SELECT default_kind FROM system.columns WHERE database = '{applied}' AND name = 'client_ip'"
    assert set(engine.query(kind).result_rows) == {("",)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "clause", ["MODIFY COLUMN client_ip String MATERIALIZED request_id", "MATERIALIZE COLUMN client_ip"]
)
def test_a_column_that_was_sent_is_not_computed(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], clause: str
) -> None:
    write(tmp_path, "0001-over", f"ALTER TABLE {PAYMENTS} {clause} ;\n")
    with pytest.raises(MigrationError, match=r"payment_events.client_ip is not MATERIALIZED, and its values would be"):
        run("apply")
    assert states(run, capsys) == {"0001-over": "pending"}


@pytest.mark.slow
def test_a_view_is_left_to_the_last_migration_that_defines_it(
    run: Run, engine: Client, applied: str, tmp_path: Path
) -> None:
    write(tmp_path, "0001-half", f"-- differs: {VIEW}: the odd ones are not wanted\n{HALF}")
    write(tmp_path, "0002-zone", ADD + WITH_REGION, DROP)
    run("apply")
    assert view(engine, applied)[1] == 10
    assert view(engine, applied)[0][-1] == "zone_name"
    assert applied_migrations(engine, applied)["0001-half"].previous_views == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DateTime('UTC')", "DateTime64(3, 'UTC')"),
        ("DateTime", "DateTime64(3)"),
        ("Nullable(DateTime('UTC'))", "Nullable(DateTime64(3, 'UTC'))"),
        ("Date", "Date32"),
        ("DateTime64(3, 'UTC')", "DateTime64(3, 'UTC')"),
        ("Date32", "Date32"),
        ("UInt8", "UInt8"),
    ],
)
def test_failure_08_what_holds_all_times_of_another_type(before: str, after: str) -> None:
    assert _wider(before) == after


@pytest.mark.slow
def test_failure_08_a_view_may_reach_further_and_has_to_say_the_same(
    run: Run, engine: Client, applied: str, tmp_path: Path
) -> None:
    for name, type_ in (("v_times", "DateTime('UTC')"), ("v_others", "DateTime('UTC')")):
        engine.command(f"CREATE VIEW {applied}.{name} (t {type_}) AS SELECT event_timestamp AS t FROM {applied}.{VIEW}")
    made = "CREATE OR REPLACE VIEW livepeer_analytics.{}"
    wide = f"{made} (t DateTime64(3, 'UTC')) AS SELECT {{}} FROM livepeer_analytics.{{}};"
    write(tmp_path, "0001-wide", wide.format("v_times", "toStartOfSecond(event_timestamp) AS t", VIEW))
    run("apply")
    assert "DateTime64" in str(engine.query(f"SELECT DISTINCT toTypeName(t) FROM {applied}.v_times").result_rows)
    write(tmp_path, "0002-other", wide.format("v_others", "event_timestamp + INTERVAL 1 HOUR AS t", VIEW))
    with pytest.raises(MigrationError, match="view v_others gives other rows than before"):
        run("apply")


@pytest.mark.slow
def test_a_column_of_before_with_the_name_of_a_computed_one_is_left(run: Run, tmp_path: Path) -> None:
    text = f"ALTER TABLE {PAYMENTS} ADD COLUMN IF NOT EXISTS client_ip String MATERIALIZED request_id;\n"
    write(tmp_path, "0001-over", f"{text}ALTER TABLE {PAYMENTS} MATERIALIZE COLUMN client_ip;\n")
    with pytest.raises(MigrationError, match=r"payment_events.client_ip is not MATERIALIZED, and its values would be"):
        run("apply")


def test_a_file_that_is_no_text(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "0001-binary", "")
    (tmp_path / "migrations" / "0001-binary" / "up.sql").write_bytes(b"\xff")
    with pytest.raises(MigrationError, match="byte 0 is not UTF-8"):
        run("plan")


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        f"ALTER  TABLE\n{PAYMENTS}\n  ADD COLUMN\n  IF  NOT EXISTS zone String",
        f"{ADDITION}, ADD COLUMN IF NOT EXISTS area Tuple(a String, b Enum8('x, DROP COLUMN y' = 1))",
        f"ALTER TABLE {PAYMENTS}\n  MODIFY COMMENT 'of payments; -- all, DROP COLUMN gateway'",
        f"ALTER TABLE {PAYMENTS} MODIFY SETTING merge_with_ttl_timeout = 1, ttl_only_drop_parts = 0",
        "ALTER TABLE livepeer_analytics.streaming_events ADD COLUMN IF NOT EXISTS zone String, "
        "MODIFY ORDER BY (event_date, type, event_timestamp, zone)",
        f"INSERT INTO {PAYMENTS} (session_id) VALUES ('a;\n')",
    ],
)
def test_what_adds_is_applied_whatever_it_says_in_quotes(
    run: Run, tmp_path: Path, statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "0001-add", statement)
    run("apply")
    assert states(run, capsys) == {"0001-add": "applied"}


def test_a_migration_is_never_changed_once_applied(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "0001-zone", ADD, DROP)
    run("apply")
    write(tmp_path, "0001-zone", ADD.replace("zone", "area"), DROP)
    with pytest.raises(MigrationError, match="was changed after it was applied"):
        run("apply")


def test_a_person_is_asked_before_a_migration_is_taken_back(
    run: Run, applied: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "0001-zone", ADD + WITH_REGION, DROP)
    run("apply")
    capsys.readouterr()
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: "n")
    assert run("rollback") == 1
    asked = f"0001-zone is taken back in {applied}; views that change: {VIEW}.\nRoll back? [y/N] "
    assert " ".join(capsys.readouterr().err.split()) == " ".join(asked.split())
    assert states(run, capsys) == {"0001-zone": "applied"}
    assert run("rollback", "--yes") == 0
    assert states(run, capsys) == {"0001-zone": "pending"}


def test_a_new_database_has_the_migrations_of_its_version(
    run: Run, applied: str, engine: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(BUILTIN, tmp_path / "migrations", ignore=shutil.ignore_patterns("README.md"))
    shipped = sorted(each.name for each in BUILTIN.iterdir() if each.is_dir())
    assert states(run, capsys) == dict.fromkeys(shipped, "applied")
    with pytest.raises(UsageError, match="it is at the baseline"):
        run("rollback")
    write(tmp_path, "9999-zone", ADD, DROP)
    assert states(run, capsys)["9999-zone"] == "pending"
    run("apply")
    run("rollback")
    assert states(run, capsys) == {**dict.fromkeys(shipped, "applied"), "9999-zone": "pending"}


@pytest.mark.slow
def test_a_database_of_before_does_not(
    run: Run, applied: str, tables: Sequence[Table], engine: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.command(f"DROP TABLE {applied}.schema_migrations SYNC")
    engine.command(f"DROP TABLE {applied}.replay_runs SYNC")
    shutil.copytree(BUILTIN, tmp_path / "migrations", ignore=shutil.ignore_patterns("README.md"))
    assert apply(engine, applied, tables) == ["replay_runs"], "a table that is missing does not make it new"
    assert set(states(run, capsys).values()) == {"pending"}
    run("apply")
    assert set(states(run, capsys).values()) == {"applied"}


@pytest.mark.slow
def test_there_are_two_of_a_number(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "0001-a", ADD)
    write(tmp_path, "0001-b", ADD)
    with pytest.raises(MigrationError, match="0001-a and 0001-b have the same number"):
        run("plan")


@pytest.mark.slow
def test_a_plan_names_what_is_in_force_and_in_another_folder(
    run: Run, applied: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "0002-zone", ADD + WITH_REGION, DROP)
    run("apply")
    (tmp_path / "migrations").rename(tmp_path / "elsewhere")
    (tmp_path / "migrations").mkdir()
    capsys.readouterr()
    said = f"{applied} has 0002-zone in force, which {tmp_path / 'migrations'} does not hold: name the folder"
    run("plan")
    shown = capsys.readouterr().out
    assert shown.splitlines()[1].startswith("0002-zone  ")
    assert said in " ".join(shown.split())
    assert "baseline" not in shown
    write(tmp_path, "0001-earlier", ADD)
    run("plan", "--json")
    assert json.loads(capsys.readouterr().out) == [
        {"migration": "0001-earlier", "state": "pending", "adds": 1, "views": []},
        {"migration": "0002-zone", "state": "in force, not in the folder", "adds": None, "views": [VIEW]},
    ]


@pytest.mark.slow
@pytest.mark.parametrize("other", [None, "0001-another"])
def test_a_migration_is_rolled_back_only_where_its_folder_is_named(
    run: Run, engine: Client, applied: str, tmp_path: Path, other: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "0001-zone", ADD + WITH_REGION, DROP)
    run("apply")
    during = view(engine, applied)
    (tmp_path / "migrations").rename(tmp_path / "elsewhere")
    (tmp_path / "migrations").mkdir()
    if other is not None:  # its down.sql is not this migration's
        write(tmp_path, other, ADD.replace("zone", "area"), DROP)
    said = f"{applied} has 0001-zone in force, which {tmp_path / 'migrations'} does not hold: name the folder that does"
    with pytest.raises(UsageError, match=said):
        run("rollback")
    assert view(engine, applied) == during
    shutil.rmtree(tmp_path / "migrations")
    (tmp_path / "elsewhere").rename(tmp_path / "migrations")
    assert states(run, capsys) == {"0001-zone": "applied"}, "nothing was changed"
    run("rollback")
    assert states(run, capsys) == {"0001-zone": "pending"}


@pytest.mark.slow
def test_views_come_back_where_the_migrations_files_are_gone(
    run: Run, engine: Client, applied: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = view(engine, applied)
    write(tmp_path, "0001-zone", ADD + WITH_REGION, DROP)
    run("apply")
    (tmp_path / "migrations").rename(tmp_path / "elsewhere")
    (tmp_path / "migrations").mkdir()
    run("rollback", "--views-only")
    said = " ".join(capsys.readouterr().out.split())
    assert said.endswith(f"views as before: {VIEW}; what it added stays")
    assert view(engine, applied) == before
    assert engine.query(f"SELECT 1 FROM system.columns WHERE database = '{applied}' AND name = 'zone'").result_rows
