"""The migrations of this version, on databases as earlier ones left them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from tenacity import Retrying, stop_after_delay, wait_fixed

from lpa_core.tables.table import Table
from lpa_sinks.schema.check import check
from lpa_sinks.schema.ddl import in_database
from lpa_sinks.schema.migrations import BUILTIN, applied_migrations
from lpa_sinks.schema.sql_text import statements

Run = Callable[..., Any]


@pytest.mark.slow
def test_face_values_that_were_stored_as_0_are_computed_again(
    run: Run, engine: Client, applied: str, tmp_path: Path
) -> None:
    table = f"{applied}.payment_events"
    only_wei = "toUInt256OrZero(extract(face_value, '^([0-9]{1,77})(?: *[Ww][Ee][Ii])?$'))"
    (migration,) = BUILTIN.glob("0004-*")
    for statement in statements((migration / "up.sql").read_text()):
        if "VIEW livepeer_analytics.v_request_fees" in statement:  # a later one has added a column
            engine.command(statement.replace("livepeer_analytics", applied))
    engine.command(f"DROP TABLE {applied}.schema_migrations SYNC")
    for drop in ("expected_fee_wei", "price_wei_per_pixel"):
        engine.command(f"ALTER TABLE {table} DROP COLUMN {drop}")
    engine.command(f"ALTER TABLE {table} MODIFY COLUMN face_value_wei UInt256 MATERIALIZED {only_wei}")
    values = "(1, '0.01 ETH', '2', '0.0009990010', '1.500 wei/pixel'), (2, '7 WEI', '1', '1', '')"
    columns = "source_offset, face_value, num_tickets, win_prob, price"
    engine.command(f"INSERT INTO {table} ({columns}) VALUES {values}")
    face_values = f"SELECT face_value_wei FROM {table} ORDER BY source_offset"
    assert engine.query(face_values).result_rows == [(0,), (7,)]
    shutil.copytree(migration, tmp_path / "migrations" / migration.name)
    for _ in range(2):
        run("apply")
        assert engine.query(
            f"SELECT face_value_wei, expected_fee_wei, price_wei_per_pixel FROM {applied}.raw_payment_events "
            "ORDER BY source_offset"
        ).result_rows == [(10**16, 19_980_020_000_000, 1.5), (7, 7, None)]
        run("rollback")
        assert engine.query(face_values).result_rows == [(10**16,), (7,)]
    engine.command(f"INSERT INTO {table} (source_offset, face_value) VALUES (3, '1 ETH')")
    assert engine.query(face_values).result_rows == [(10**16,), (7,), (10**18,)]


@pytest.mark.slow
def test_failure_07_a_database_of_version_0_1_0_takes_the_last_data_too(
    run: Run, engine: Client, applied: str, tmp_path: Path
) -> None:
    table = f"{applied}.streaming_events"
    engine.command(f"DROP TABLE {applied}.schema_migrations SYNC")
    engine.command(f"ALTER TABLE {table} MODIFY COLUMN data String ALIAS JSONExtractRaw(raw_json, 'data')")
    text = '{"data":{"a":1},"data":{"b":2}}'
    engine.command(f"INSERT INTO {table} (id, raw_json, source_offset) VALUES ('twice', '{text}', 10)")
    data = f"SELECT data FROM {applied}.raw_streaming_events WHERE id = 'twice'"
    (migration,) = BUILTIN.glob("0001-*")
    shutil.copytree(migration, tmp_path / "migrations" / migration.name)
    for command, found in (("apply", '{"b":2}'), ("rollback", '{"a":1}'), ("apply", '{"b":2}')):
        run(command)
        assert engine.query(data).result_rows == [(found,)]


OF_0_1_0 = Path(__file__).parent / "of_0_1_0"


@pytest.mark.slow
def test_failure_08_views_of_version_0_1_0_reach_from_1900_to_2299_once_applied(
    run: Run, engine: Client, applied: str, tables: Sequence[Table], tmp_path: Path
) -> None:
    views = f"SELECT name, create_table_query FROM system.tables WHERE database = '{applied}' AND name LIKE 'v\\_%'"
    fresh = dict(engine.query(views).result_rows)
    engine.command(f"DROP TABLE {applied}.schema_migrations SYNC")
    for statement in statements((OF_0_1_0 / "04-views.sql").read_text()):
        engine.command(in_database(statement, applied).replace("CREATE VIEW IF NOT EXISTS", "CREATE OR REPLACE VIEW"))
    before = dict(engine.query(views).result_rows)
    assert len(narrow_columns(engine, applied)) == 9
    session = (
        f"INSERT INTO {applied}.fact_workflow_sessions_versions (workflow_session_id, session_start_ts, version) "
        "VALUES ('old', '1900-01-01 00:30:00', 1), ('new', '2150-06-01 10:30:00', 1), ('now', '2090-01-08 10:30:00', 1)"
    )
    engine.command(session)
    hours = f"SELECT workflow_session_id, toString(window_start) FROM {applied}.v_session_outcomes ORDER BY 2"
    assert ("new", "2106-02-07 06:28:15") in engine.query(hours).result_rows
    shutil.copytree(BUILTIN, tmp_path / "migrations")
    run("apply")
    assert dict(engine.query(views).result_rows) == fresh
    assert check(engine, applied, tables) == []
    assert narrow_columns(engine, applied) == []
    expected = [("now", "2090-01-08 10:00:00.000"), ("new", "2150-06-01 10:00:00.000")]
    assert engine.query(hours).result_rows == expected
    while any(each.in_force and each.number > 1 for each in applied_migrations(engine, applied).values()):
        run("rollback")
    assert dict(engine.query(views).result_rows) == before
    assert ("new", "2106-02-07 06:28:15") in engine.query(hours).result_rows
    run("apply")
    assert dict(engine.query(views).result_rows) == fresh


WINDOW = ("0012-reads-of-a-window", "0014-labels-beside-other-reads", "0015-hours-of-gpus")


@pytest.mark.slow
def test_views_of_a_window_come_and_go(run: Run, engine: Client, applied: str, tmp_path: Path) -> None:
    """Each view is as before once the migrations were taken back. What they added stays: nothing reads it then."""
    texts = [(BUILTIN / each / "up.sql").read_text() for each in WINDOW]
    defined = sorted({name for text in texts for name in re.findall(r"VIEW livepeer_analytics\.(\w+)", text)})
    stored = (
        f"SELECT name, create_table_query FROM system.tables WHERE database = '{applied}' "
        f"AND name IN ({', '.join(map(repr, defined))})"
    )
    fresh = dict(engine.query(stored).result_rows)
    assert fresh.keys() == set(defined)
    added = {"v_gpu_hours", "v_job_outcomes", "v_sla_hours"}
    engine.command(
        f"INSERT INTO {applied}.fact_jobs_versions (job_id, job_type, outcome, received_at, version) "
        "VALUES ('byoc|1', 'byoc', 'success', now64(3), 1)"
    )
    for name in defined:
        kept = re.sub(rf"\b{applied}\.({'|'.join(defined)})\b", rf"{applied}.kept_\1", fresh[name])
        engine.command(kept)
        engine.command(f"DROP VIEW {applied}.{name} SYNC")
        if name not in added:
            engine.command(f"CREATE VIEW {applied}.{name} AS SELECT * FROM {applied}.kept_{name}")
    before = dict(engine.query(stored).result_rows)
    for each in WINDOW:
        engine.command(f"DELETE FROM {applied}.schema_migrations WHERE name = '{each.partition('-')[2]}'")
    shutil.copytree(BUILTIN, tmp_path / "migrations")
    run("apply")
    assert dict(engine.query(stored).result_rows) == fresh
    for _ in WINDOW:
        run("rollback")
    after = dict(engine.query(stored).result_rows)
    assert {name: after[name] for name in before} == before
    assert before.keys() == set(defined) - added


@pytest.mark.slow
def test_hashes_of_keys_come_and_go(
    run: Run, engine: Client, applied: str, tables: Sequence[Table], tmp_path: Path
) -> None:
    """Events of before have the right hash at once, computed as it is read, and stored in the end."""
    name = "0016-hashes-of-keys"
    engine.command(f"ALTER TABLE {applied}.streaming_events DROP COLUMN dedup_key_hash")
    engine.command(f"DELETE FROM {applied}.schema_migrations WHERE name = '{name.partition('-')[2]}'")
    engine.command(f"INSERT INTO {applied}.streaming_events (dedup_key) VALUES ('before')")
    shutil.copytree(BUILTIN / name, tmp_path / "migrations" / name)
    run("apply")
    assert check(engine, applied, tables) == []
    engine.command(f"INSERT INTO {applied}.streaming_events (dedup_key) VALUES ('since')")
    found = (
        f"SELECT dedup_key FROM {applied}.streaming_events "
        "WHERE dedup_key_hash IN (xxHash32('before'), xxHash32('since')) ORDER BY dedup_key"
    )
    assert engine.query(found).result_rows == [("before",), ("since",)]
    stored = (
        "SELECT uniqExact(name) = countIf(column = 'dedup_key_hash') FROM system.parts_columns "
        f"WHERE active AND database = '{applied}' AND table = 'streaming_events'"
    )
    for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(0.1)):
        with attempt:
            assert engine.query(stored).result_rows == [(True,)]
    assert engine.query(found).result_rows == [("before",), ("since",)]
    run("rollback")
    columns = f"SELECT count() FROM system.columns WHERE database = '{applied}' AND name = 'dedup_key_hash'"
    assert engine.query(columns).result_rows == [(0,)]
    run("apply")
    assert engine.query(found).result_rows == [("before",), ("since",)]


def narrow_columns(engine: Client, database: str) -> list[str]:
    """Columns of tables and views whose type ends in 2106 or 2149."""
    found = engine.query(f"SELECT concat(table, '.', name), type FROM system.columns WHERE database = '{database}'")
    return [name for name, type_ in found.result_rows if re.search(r"\b(DateTime|Date)\b", type_)]


def test_failure_08_no_table_or_view_has_a_time_of_32_bits_that_an_event_can_reach(
    engine: Client, applied: str, tables: Sequence[Table]
) -> None:
    assert narrow_columns(engine, applied) == []
    made = engine.query(
        f"SELECT create_table_query FROM system.tables WHERE database = '{applied}' AND engine = 'View'"
    )
    calls = re.findall(
        r"\b(?:toStartOf(?!Interval)\w+|toDateTime|toDate|toUnixTimestamp|now)\(.*", str(made.result_rows)
    )
    assert calls == []
