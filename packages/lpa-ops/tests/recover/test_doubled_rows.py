"""Of positions that stand there twice the later rows go, with what was derived from them."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from services.few_assertions import few

from lpa_core.cli import build_app
from lpa_core.jobs.assembly import fold_rules
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import conservation
from lpa_ops.positions.doubled import doubled, ingested_tables
from lpa_ops.recover.doubled_rows import DoubledRows
from lpa_ops.recover.run import execute, plan
from lpa_ops.recover.scenario import Context
from lpa_ops.recover.validation import validate
from lpa_ops.testing.checked_database import CheckedDatabase, ok, red
from lpa_sinks import parity
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.rebuild import Rebuild
from lpa_sinks.materialize.row_filter import TimeSpan

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def few_assertions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "assertions", few())


@pytest.fixture
def context(day: CheckedDatabase) -> Context:
    return Context(day.settings, PluginManager(day.settings), day.sink, str(day.settings.lpa.data_dir / "backups"))


def stored(day: CheckedDatabase) -> dict[str, Any]:
    """All rows of all tables with rows made of records, and what is derived of them, as checksums."""
    columns = {table.name: table.columns for table in ingested_tables(day.engine, day.settings.clickhouse.database)}
    facts = day.query(
        "SELECT name FROM system.tables "
        "WHERE database = 'a_day' AND match(name, '^(fact|agg)_') AND NOT endsWith(name, '_versions')"
    )
    for (name,) in facts:
        columns[name] = [
            column
            for (column,) in day.query(
                f"SELECT name FROM system.columns WHERE database = 'a_day' AND table = '{name}' "
                "AND name NOT IN ('version', 'ingestion_timestamp') AND type NOT LIKE '%AggregateFunction%'"
            )
        ]
    return {
        name: day.query(f"SELECT count(), sum(sipHash64(formatRow('JSONEachRow', {', '.join(some)}))) FROM day.{name}")
        for name, some in columns.items()
    }


def read_again(day: CheckedDatabase, first: int, last: int) -> None:
    """As a worker does from an offset that was set back: the same rows in a later batch."""
    for table in ingested_tables(day.engine, day.settings.clickhouse.database):
        columns = ", ".join(table.columns)
        later = columns.replace("ingestion_timestamp", "ingestion_timestamp + INTERVAL 1 MINUTE")
        day.run(
            f"INSERT INTO day.{table.name} ({columns}) SELECT {later} FROM day.{table.name} "
            f"WHERE source_offset BETWEEN {first} AND {last}"
        )


def rebuild(day: CheckedDatabase) -> None:
    rules = fold_rules(PluginManager(day.settings), day.settings)
    work = Rebuild(FactDatabase(day.engine, day.settings.clickhouse.database), rules, TimeSpan(0, 4_000_000_000_000))
    work.prepare()
    while work.step() is not None:
        pass


def good(day: CheckedDatabase) -> dict[str, bool | None]:
    checks = validate(day.engine, day.settings.clickhouse.database, day.sink, day.settings)
    return {check.name: check.good for check in checks}


def test_failure_11_what_was_read_again_goes_again(day: CheckedDatabase, context: Context) -> None:
    before = stored(day)
    assert plan(DoubledRows(), context)[0].damage == []
    read_again(day, 1000, 1800)
    twice = stored(day)
    changed = {name for name, rows in twice.items() if rows != before[name]}
    assert changed >= {"stream_trace_events", "streaming_events", "streaming_events_dlq", "streaming_events_quarantine"}
    assert good(day)["no record is stored twice"] is False
    shown, steps = plan(DoubledRows(), context)
    assert shown.damage == ["events.ndjson[0]: 801 records are stored more than once"]
    assert [step.name for step, _ in steps] == ["stopped", "rows", "offsets", "derived"]
    assert stored(day) == twice, "a plan changes nothing"

    (command,) = re.findall(r"`lpa ([^`]+)`", red(day, conservation.CHECK, State.CRITICAL, "801 rows too many"))
    app = build_app(day.settings, PluginManager(day.settings))
    assert app([*shlex.split(command), "--execute"]) == 0
    assert stored(day) == before
    assert False not in good(day).values()
    ok(day, conservation.CHECK)
    assert not execute(DoubledRows(), context), "there is nothing left to do"


def test_failure_11_an_event_beside_its_duplicate(day: CheckedDatabase, context: Context) -> None:
    rebuild(day)
    before = stored(day)
    columns = "schema_version, source_topic, source_partition, source_offset, failure_class, dedup_key"
    copied = "'v1', source_topic, source_partition, source_offset, 'DUPLICATE', dedup_key"
    # Accepted, and later quarantined as a duplicate of itself: the event stays.
    day.run(
        f"INSERT INTO day.streaming_events_quarantine ({columns}) SELECT {copied} FROM day.streaming_events "
        "WHERE source_offset BETWEEN 100 AND 120"
    )
    # Quarantined first, for no other position's sake, and accepted later: the event stays as well.
    day.run(
        f"INSERT INTO day.streaming_events_quarantine ({columns}, ingestion_timestamp) "
        f"SELECT {copied}, ingestion_timestamp - INTERVAL 1 MINUTE FROM day.streaming_events "
        "WHERE source_offset BETWEEN 200 AND 220"
    )
    # A duplicate of another position that was accepted when it was read again: the duplicate stays.
    for table in ingested_tables(day.engine, "a_day"):
        key = next((name for name in ("dedup_key", "raw_event_uid") if name in table.columns), "")
        if not key or table.name.startswith(("streaming_events_", "network_")):
            continue
        of_it = {
            "source_offset": "quarantined.source_offset",
            "ingestion_timestamp": "quarantined.ingestion_timestamp + INTERVAL 1 MINUTE",
        }
        day.run(
            f"INSERT INTO day.{table.name} ({', '.join(table.columns)}) "
            f"SELECT {', '.join(of_it.get(name, f'event.{name}') for name in table.columns)} "
            f"FROM day.{table.name} AS event "
            f"INNER JOIN day.streaming_events_quarantine AS quarantined ON event.{key} = quarantined.dedup_key "
            "WHERE quarantined.source_offset > 1000 AND quarantined.source_offset != event.source_offset"
        )
    assert stored(day)["streaming_events"] != before["streaming_events"]
    assert execute(DoubledRows(), context)
    assert stored(day) == before
    assert doubled(day.engine, "a_day").positions == {}


def test_failure_11_a_session_of_which_nothing_is_left_has_no_facts(day: CheckedDatabase, context: Context) -> None:
    """Its events were dead letters first, and accepted when they were read again: after an upgrade, say."""
    before = stored(day)
    ((now,),) = day.query("SELECT toString(now64(3))")
    position = "'events.ndjson' AS source_topic, 0 AS source_partition, 900000 + number AS source_offset"
    batch = f"{position}, toDateTime64('{now}', 3) - INTERVAL {{}} AS ingestion_timestamp"
    event_columns = "source_topic, source_partition, source_offset, ingestion_timestamp"
    key = "concat('key', toString(number))"
    day.run(
        f"INSERT INTO day.stream_trace_events ({event_columns}, event_timestamp, raw_event_uid, stream_id, request_id, "
        f"trace_type) SELECT {batch.format('0 HOUR')}, now64(3) - INTERVAL 1 HOUR, {key}, 'doubled', 'doubled', "
        "'gateway_receive_stream_request' FROM numbers(3)"
    )
    day.run(
        f"INSERT INTO day.streaming_events ({event_columns}, timestamp, dedup_key) "
        f"SELECT {batch.format('0 HOUR')}, toUnixTimestamp(now() - INTERVAL 1 HOUR) * 1000, {key} FROM numbers(3)"
    )
    rebuild(day)
    session = "SELECT count() FROM day.fact_workflow_sessions WHERE workflow_session_id = 'doubled|doubled'"
    assert day.query(session) == [(1,)]
    day.run(f"INSERT INTO day.streaming_events_dlq ({event_columns}) SELECT {batch.format('1 HOUR')} FROM numbers(3)")
    try:
        assert execute(DoubledRows(), context)
        assert day.query(session) == [(0,)]
        assert day.query("SELECT count() FROM day.streaming_events_dlq WHERE source_offset >= 900000") == [(3,)]
    finally:
        day.run("DELETE FROM day.streaming_events_dlq WHERE source_offset >= 900000")
    assert stored(day) == before


def test_failure_11_rows_that_one_batch_brought_twice(day: CheckedDatabase, context: Context) -> None:
    before = stored(day)
    for table in ingested_tables(day.engine, "a_day"):
        names = ", ".join(table.columns)
        day.run(
            f"INSERT INTO day.{table.name} ({names}) SELECT {names} FROM day.{table.name} "
            "WHERE source_offset BETWEEN 500 AND 600"
        )
    assert plan(DoubledRows(), context)[0].damage == ["events.ndjson[0]: 101 records are stored more than once"]
    assert execute(DoubledRows(), context)
    assert stored(day) == before
    assert not execute(DoubledRows(), context)


def test_failure_11_a_record_that_replays_gave_up_is_no_second_one(day: CheckedDatabase, context: Context) -> None:
    ((topic, offset),) = day.query("SELECT source_topic, source_offset FROM day.streaming_events_dlq LIMIT 1")
    day.run(
        "INSERT INTO day.streaming_events_quarantine (source_topic, source_partition, source_offset, failure_class) "
        f"VALUES ('{topic}', 0, {offset}, 'REPLAY_EXHAUSTED')"
    )
    given_up = stored(day)
    read_again(day, offset - 10, offset + 10)
    day.run(
        "DELETE FROM day.streaming_events_quarantine WHERE failure_class = 'REPLAY_EXHAUSTED' "
        "AND ingestion_timestamp > now() + INTERVAL 30 SECOND"
    )
    try:
        assert execute(DoubledRows(), context)
        assert stored(day) == given_up
    finally:
        day.run("DELETE FROM day.streaming_events_quarantine WHERE failure_class = 'REPLAY_EXHAUSTED'")
