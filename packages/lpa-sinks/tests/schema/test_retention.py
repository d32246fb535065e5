"""How long tables of plugins keep their rows, and what a plan says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.events.event_type import typed_table
from lpa_core.tables.table import Column, Kind, Table
from lpa_sinks.schema import apply, check, planned
from lpa_sinks.schema.ddl import plugin_table

TABLE = typed_table("readings", Column("sensor", Kind.LABEL, at="sensor"), order_by=("sensor",), keep_days=30)
WIDER = typed_table(
    "readings",
    Column("sensor", Kind.LABEL, at="sensor"),
    Column("value", Kind.FLOAT64, at="value"),
    order_by=("sensor",),
    keep_days=7,
)


KEPT = "readings: rows are kept for 7 days instead of 30, which deletes 0 rows that are older"


def days(client: Client, database: str) -> str:
    create = client.query(f"SHOW CREATE TABLE {database}.readings").result_rows[0][0]
    return str(create).partition("toIntervalDay(")[2].partition(")")[0]


def test_rows_are_kept_for_90_days_unless_the_table_says_otherwise() -> None:
    assert "INTERVAL 30 DAY\n" in plugin_table(TABLE)
    assert "INTERVAL 90 DAY\n" in plugin_table(attrs.evolve(TABLE, keep_days=None))


def test_a_plan_says_what_apply_makes_and_changes(
    applied: str, engine: Client, tables: Sequence[Table], database: str
) -> None:
    def plan(*more: Table) -> list[str]:
        return planned(engine, applied, [*tables, *more])

    everything: list[Any] = [*tables, TABLE]
    assert plan() == []
    assert plan(TABLE) == ["readings is missing"]
    assert apply(engine, applied, everything) == ["readings"]
    assert (plan(TABLE), days(engine, applied)) == ([], "30")
    assert plan(WIDER) == ["readings.value is missing", KEPT]
    assert apply(engine, applied, [*tables, WIDER]) == ["readings.value", KEPT]
    assert (plan(WIDER), days(engine, applied)) == ([], "7")
    assert check(engine, applied, [*tables, WIDER]) == []
    (line,) = planned(engine, database, everything)
    assert line.startswith("no table is there, of ")


def test_days_that_somebody_set_in_the_database_stay_where_the_table_does_not_say_any(
    applied: str, engine: Client, tables: Sequence[Table]
) -> None:
    silent = attrs.evolve(TABLE, keep_days=None)
    apply(engine, applied, [*tables, silent])
    engine.command(f"ALTER TABLE {applied}.readings MODIFY TTL toDateTime(event_timestamp, 'UTC') + INTERVAL 5 DAY")
    assert planned(engine, applied, [*tables, silent]) == []
    assert apply(engine, applied, [*tables, silent]) == []
    assert days(engine, applied) == "5"


def test_a_plan_says_how_many_rows_a_shorter_retention_deletes(
    applied: str, engine: Client, tables: Sequence[Table]
) -> None:
    def kept(days: int) -> list[Table]:
        return [*tables, attrs.evolve(TABLE, keep_days=days)]

    apply(engine, applied, kept(30))
    engine.command(
        f"INSERT INTO {applied}.readings (event_timestamp, ingestion_timestamp) "
        "SELECT now64(3) - toIntervalDay(arrayJoin([1, 10, 20])), 0"
    )
    told = "readings: rows are kept for 15 days instead of 30, which deletes 1 row that is older"
    assert planned(engine, applied, kept(15)) == [told]
    assert apply(engine, applied, kept(15)) == [told]
    assert planned(engine, applied, kept(60)) == ["readings: rows are kept for 60 days instead of 15"]


def test_a_retention_that_is_shorter_than_the_table_says_has_drifted(
    applied: str, engine: Client, tables: Sequence[Table]
) -> None:
    ttl = f"ALTER TABLE {applied}.ai_stream_status MODIFY TTL toDateTime(event_timestamp, 'UTC') + INTERVAL"
    engine.command(f"{ttl} 120 DAY")
    assert check(engine, applied, tables) == []
    engine.command(f"{ttl} 89 DAY")
    (drift,) = check(engine, applied, tables)
    assert str(drift).endswith("rows are kept for 89 days, expected 90: older ones are deleted")
    assert "`lpa schema show`" in drift.remedy
    assert not drift.stops_writing
