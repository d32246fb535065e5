"""``apply`` and ``check`` on a live database."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.events.event_type import typed_table
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.tables.reserved import TABLES_OF_JOBS
from lpa_core.tables.table import Column, Kind, Table
from lpa_sinks.schema import apply, check
from lpa_sinks.schema.ddl import INGESTED_FILE, WITHDRAWN_TABLE, materialized

PLUGIN_TABLE = typed_table(
    "plugin_events",
    *(Column(f"a_{kind.value}", kind) for kind in Kind),
    *(Column(f"nullable_{kind.value}", kind, nullable=True) for kind in Kind),
    order_by=("a_label", "a_text", "a_int64", "a_timestamp", "event_timestamp"),
)


def test_what_was_made_agrees_with_rows_and_ddl(engine: Client, applied: str, tables: Sequence[Table]) -> None:
    assert check(engine, applied, tables) == []


def test_made_again_nothing_is_new(engine: Client, database: str, tables: Sequence[Table]) -> None:
    made = apply(engine, database, tables)
    written = {f"{prefix}{table.name}" for table in tables for prefix in ("", "raw_")}
    beside = {table.name for table in (WITHDRAWN_TABLE, *INGESTED_TABLES)}.union(TABLES_OF_JOBS)
    assert set(made) == written | beside | {each.name for each in materialized()}
    assert apply(engine, database, tables) == []


def test_what_is_missing_is_made(engine: Client, applied: str, tables: Sequence[Table]) -> None:
    engine.command(f"DROP TABLE {applied}.payment_events")
    assert [str(drift) for drift in check(engine, applied, tables)] == [
        f"payment_events in {applied}: the table is missing"
    ]
    assert apply(engine, applied, tables) == ["payment_events"]
    assert check(engine, applied, tables) == []


def test_a_plugin_table_of_every_kind(engine: Client, applied: str, tables: Sequence[Table]) -> None:
    assert apply(engine, applied, [*tables, PLUGIN_TABLE]) == ["plugin_events"]
    assert check(engine, applied, [*tables, PLUGIN_TABLE]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alteration", "complaint", "stops_writing"),
    [
        ("DROP COLUMN stream_id", "column stream_id String is missing", True),
        ("RENAME COLUMN message TO msg", "column message String is missing", True),
        ("MODIFY COLUMN message Nullable(String)", "column message is Nullable(String), expected String", True),
        ("ADD COLUMN note UInt8", "column note UInt8 is not expected", False),
        ("ADD COLUMN twice String ALIAS concat(message, message)", "column twice String is not expected", False),
        (
            "MODIFY SETTING non_replicated_deduplication_window = 0",
            "non_replicated_deduplication_window is 0, expected at least 10000: repeated inserts may be stored twice",
            True,
        ),
        (
            "RESET SETTING non_replicated_deduplication_window",
            "non_replicated_deduplication_window is 0, expected at least 10000: repeated inserts may be stored twice",
            True,
        ),
        (
            "MODIFY SETTING non_replicated_deduplication_window = 100",
            "non_replicated_deduplication_window is 100, expected at least 10000: repeated inserts may be stored twice",
            False,
        ),
    ],
)
def test_drift_is_named(engine: Client, database: str, alteration: str, complaint: str, stops_writing: bool) -> None:
    table = typed_table("drifting", Column("stream_id", Kind.TEXT), Column("message", Kind.TEXT), order_by=())
    apply(engine, database, [table])
    engine.command(f"ALTER TABLE {database}.drifting {alteration}")
    found = check(engine, database, [table])
    assert str(found[0]) == f"drifting in {database}: {complaint}"
    assert found[0].stops_writing is stops_writing


def test_a_derived_column_that_drifted_is_named_but_stops_nothing(
    engine: Client, applied: str, tables: Sequence[Table]
) -> None:
    engine.command(f"ALTER TABLE {applied}.payment_events MODIFY COLUMN face_value_wei UInt64")
    engine.command(f"ALTER TABLE {applied}.streaming_events DROP COLUMN data")
    found = check(engine, applied, tables)
    assert [(drift.table, drift.column, drift.stops_writing) for drift in found] == [
        ("streaming_events", "data", False),
        ("payment_events", "face_value_wei", False),
    ]


def test_an_engine_that_forgets_tokens_is_named(engine: Client, applied: str, tables: Sequence[Table]) -> None:
    engine.command(f"CREATE TABLE {applied}.copy AS {applied}.payment_events ENGINE = Memory")
    engine.command(f"EXCHANGE TABLES {applied}.copy AND {applied}.payment_events")
    (drift,) = check(engine, applied, tables)
    assert (drift.column, drift.found, drift.stops_writing) == ("engine", "Memory", True)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("DROP TABLE {}.fact_workflow_sessions", "fact_workflow_sessions in {}: the table is missing"),
        (
            "ALTER TABLE {}.fact_stream_status_samples_versions DROP COLUMN state",
            "fact_stream_status_samples_versions in {}: column state LowCardinality(String) is missing",
        ),
        (
            "CREATE OR REPLACE TABLE {}.fact_workflow_sessions_versions AS {}.fact_workflow_sessions_versions "
            "ENGINE = MergeTree ORDER BY workflow_session_id SETTINGS non_replicated_deduplication_window = 10000",
            "fact_workflow_sessions_versions in {}: the engine is MergeTree, expected ReplacingMergeTree",
        ),
        (
            "CREATE OR REPLACE TABLE {}.fact_workflow_sessions_versions AS {}.fact_workflow_sessions_versions "
            "ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY workflow_session_id "
            "TTL toDateTime(ingestion_timestamp, 'UTC') + INTERVAL 180 DAY "
            "SETTINGS non_replicated_deduplication_window = 10000",
            "fact_workflow_sessions_versions in {}: org_key is not in the sorting key, expected "
            "(workflow_session_id, org_key): orgs replace each other's rows",
        ),
    ],
)
def test_drift_of_what_is_materialized_is_named_but_stops_no_ingestion(
    engine: Client, applied: str, tables: Sequence[Table], damage: str, complaint: str
) -> None:
    engine.command(damage.replace("{}", applied))
    (drift,) = check(engine, applied, tables)
    assert str(drift) == complaint.replace("{}", applied)
    assert not drift.stops_writing


def test_a_column_that_a_migration_brings_is_left_to_the_migration(
    engine: Client, applied: str, tables: Sequence[Table]
) -> None:
    engine.command(f"ALTER TABLE {applied}.streaming_events DROP COLUMN dedup_key_hash")
    (drift,) = check(engine, applied, tables)
    assert drift.remedy.startswith(
        "`lpa schema apply` adds it if `lpa schema plan` shows a pending migration, else run ALTER TABLE "
        f"{applied}.streaming_events ADD COLUMN dedup_key_hash "
    )


def test_other_databases_do_not_count(engine: Client, applied: str, tables: Sequence[Table]) -> None:
    found = check(engine, f"{applied}_other", tables)
    assert {drift.kind.value for drift in found} == {"missing table"}
    written = {*tables, WITHDRAWN_TABLE, *INGESTED_TABLES}
    assert len(found) == len(written) + len(materialized())


@pytest.mark.slow
def test_failure_30_a_column_that_a_plugin_adds_to_its_table_is_made_and_old_rows_stay(
    engine: Client, database: str
) -> None:
    first = typed_table("growing", Column("a", Kind.TEXT), order_by=("a",))
    grown = typed_table(
        "growing",
        Column("count", Kind.UINT32),
        Column("a", Kind.TEXT),
        Column("note", Kind.TEXT, nullable=True),
        order_by=("a",),
    )
    apply(engine, database, [first])
    engine.command(
        f"INSERT INTO {database}.growing (event_timestamp, ingestion_timestamp, a) VALUES (now(), now(), 'old')"
    )
    missing = [drift for drift in check(engine, database, [grown]) if drift.table == "growing"]
    assert [(drift.column, drift.remedy) for drift in missing] == [
        ("count", "`lpa schema apply` adds it"),
        ("note", "`lpa schema apply` adds it"),
    ]
    assert apply(engine, database, [grown], [INGESTED_FILE]) == ["growing.count", "growing.note"]
    assert [drift for drift in check(engine, database, [grown]) if drift.table == "growing"] == []
    assert engine.query(f"SELECT count, a, note FROM {database}.growing").result_rows == [(0, "old", None)]
    assert apply(engine, database, [grown], [INGESTED_FILE]) == []


@pytest.mark.slow
def test_failure_30_what_an_older_version_of_the_plugin_wrote_is_not_taken_away(engine: Client, database: str) -> None:
    wide = typed_table("shrinking", Column("a", Kind.TEXT), Column("b", Kind.TEXT), order_by=())
    narrow = typed_table("shrinking", Column("a", Kind.TEXT), order_by=())
    apply(engine, database, [wide])
    assert apply(engine, database, [narrow], [INGESTED_FILE]) == []
    (extra,) = [drift for drift in check(engine, database, [narrow]) if drift.table == "shrinking"]
    assert (extra.column, extra.stops_writing) == ("b", False)
