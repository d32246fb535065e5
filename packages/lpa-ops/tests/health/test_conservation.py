"""Conservation goes red where a position is in no table or in two, or all are gone, and green again."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest

from lpa_core.delivery.consumer_group import Partition
from lpa_core.jobs import restoration
from lpa_core.settings.settings import ClickHouseSettings
from lpa_core.settings.thresholds import State
from lpa_ops.backup.backup import DATABASE_FOLDER
from lpa_ops.backup.store import BackupStore
from lpa_ops.health.checks import conservation
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.recover.validation import validate
from lpa_ops.testing.backups import FULL
from lpa_ops.testing.checked_database import CheckedDatabase, ok, red
from lpa_sinks import schema


def test_a_database_that_was_lost(day: CheckedDatabase, tmp_path: Path) -> None:
    used = attrs.evolve(day.settings, clickhouse=ClickHouseSettings(database="lost"))
    lost = attrs.evolve(day, settings=used)
    red(lost, conservation.CHECK, State.CRITICAL, "lost has no streaming_events, though 3,")
    try:
        schema.apply(day.engine, "lost", ())
        red(lost, conservation.CHECK, State.CRITICAL, "lost has no rows, though 3,")
        lost.run("INSERT INTO day.streaming_events (source_topic, source_offset) SELECT 'after', 0")
        red(lost, conservation.CHECK, State.CRITICAL, "events.ndjson[0]: 3,")
        (checkpoint,) = (day.settings.lpa.data_dir / "checkpoints").glob("*.json")
        times = checkpoint.stat()
        os.utime(checkpoint, (0, 0))
        ok(lost, conservation.CHECK)  # read before the window, or put back by a restore: its rows may have expired
        os.utime(checkpoint, ns=(times.st_atime_ns, times.st_mtime_ns))
        lost.run("TRUNCATE TABLE day.streaming_events")

        elsewhere = attrs.evolve(used.lpa, data_dir=tmp_path, backup_dir=str(tmp_path / "backups"))
        fresh = attrs.evolve(lost, settings=attrs.evolve(used, lpa=elsewhere))
        assert fresh(conservation.CHECK).finding.state is State.NOT_APPLICABLE, "nothing was read into it from here"
        sink = sink_name(day.sink, used)
        rows = attrs.evolve(FULL, database="lost", sink=sink, created_ms=day.now_ms, boundaries={Partition("t", 0): 1})
        store = BackupStore(elsewhere.backup_dir)
        for number, backup in enumerate((attrs.evolve(rows, sink="another"), attrs.evolve(rows, boundaries={}), rows)):
            assert fresh(conservation.CHECK).finding.state is State.NOT_APPLICABLE
            (tmp_path / "backups" / f"b{number}" / DATABASE_FOLDER).mkdir(parents=True)
            (tmp_path / "backups" / f"b{number}" / DATABASE_FOLDER / "a-file").touch()
            store.keep(attrs.evolve(backup, id=f"b{number}"), {})
        red(fresh, conservation.CHECK, State.CRITICAL, "lost has no rows, though b2 has rows")
    finally:
        day.engine.command("DROP DATABASE IF EXISTS lost SYNC")


def test_a_database_whose_restore_is_not_finished(day: CheckedDatabase) -> None:
    sink = sink_name(day.sink, day.settings)
    restoration.bar(sink, "the restore of b is not finished", day.settings)
    red(day, conservation.CHECK, State.CRITICAL, "the restore of b is not finished")
    restoration.unbar(sink, day.settings)
    ok(day, conservation.CHECK)


def test_a_position_that_is_in_no_table(day: CheckedDatabase) -> None:
    ok(day, conservation.CHECK)
    day.run("CREATE TABLE day.kept ENGINE = MergeTree ORDER BY () AS SELECT * FROM day.streaming_events")
    (columns,) = day.query(
        "SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns "
        "WHERE database = 'a_day' AND table = 'streaming_events' AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')"
    )
    (offset,) = day.query("SELECT source_offset FROM day.streaming_events ORDER BY source_offset LIMIT 1 OFFSET 1000")
    day.run(f"DELETE FROM day.streaming_events WHERE source_offset = {offset[0]}")
    red(
        day,
        conservation.CHECK,
        State.CRITICAL,
        f"1 of the offsets {offset[0]:,} to {offset[0]:,} are in no table",
    )
    day.run(
        f"INSERT INTO day.streaming_events ({columns[0]}) "
        f"SELECT {columns[0]} FROM day.kept WHERE source_offset = {offset[0]}"
    )
    day.run("DROP TABLE day.kept SYNC")
    ok(day, conservation.CHECK)


def test_the_end_of_a_file_that_is_in_no_table(day: CheckedDatabase) -> None:
    tables = ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
    everywhere = " UNION ALL ".join(f"SELECT source_offset FROM day.{table}" for table in tables)
    (behind,) = day.query(f"SELECT max(source_offset) + 1 FROM ({everywhere})")[0]
    for table in tables:
        day.run(f"CREATE TABLE day.kept_{table} AS day.{table}")
        day.run(f"INSERT INTO day.kept_{table} SELECT * FROM day.{table}")
        day.run(f"DELETE FROM day.{table} WHERE source_offset >= {behind - 10}")
    red(
        day,
        conservation.CHECK,
        State.CRITICAL,
        f"events.ndjson[0]: 10 of the offsets {behind - 10:,} to {behind - 1:,} are in no table",
    )
    for table in tables:
        day.run(f"EXCHANGE TABLES day.kept_{table} AND day.{table}")
        day.run(f"DROP TABLE day.kept_{table} SYNC")
    ok(day, conservation.CHECK)


@pytest.mark.slow
def test_a_record_that_replays_gave_up_lies_beside_its_dead_letter(day: CheckedDatabase) -> None:
    (topic, offset) = day.query("SELECT source_topic, source_offset FROM day.streaming_events_dlq LIMIT 1")[0]
    day.run(
        "INSERT INTO day.streaming_events_quarantine (source_topic, source_partition, source_offset, failure_class) "
        f"VALUES ('{topic}', 0, {offset}, 'REPLAY_EXHAUSTED')"
    )
    ok(day, conservation.CHECK)
    checks = {
        check.name: check for check in validate(day.engine, day.settings.clickhouse.database, day.sink, day.settings)
    }
    day.run("DELETE FROM day.streaming_events_quarantine WHERE failure_class = 'REPLAY_EXHAUSTED'")
    assert checks["no record is stored twice"].good


def test_a_position_that_is_in_two_tables(day: CheckedDatabase) -> None:
    (topic, offset) = day.query("SELECT source_topic, source_offset FROM day.streaming_events LIMIT 1")[0]
    day.run(
        "INSERT INTO day.streaming_events_quarantine (source_topic, source_partition, source_offset, failure_class) "
        f"VALUES ('{topic}', 0, {offset}, 'FAULT')"
    )
    red(day, conservation.CHECK, State.CRITICAL, "1 row too many for their positions")
    day.run("DELETE FROM day.streaming_events_quarantine WHERE failure_class = 'FAULT'")
    ok(day, conservation.CHECK)
