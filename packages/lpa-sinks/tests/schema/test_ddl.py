"""What the SQL files say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.events.event_type import typed_table
from lpa_core.job_events import lpa_event_types as job_event_types
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.tables.reserved import TABLES_OF_JOBS
from lpa_core.tables.table import Column, Kind, Table
from lpa_sinks.schema import apply, show, statements
from lpa_sinks.schema.check import check_declared
from lpa_sinks.schema.ddl import SCHEMA_FILES, WITHDRAWN_TABLE, declared, materialized, plugin_table, sql_file

CONFIGS = Path(__file__).parents[4] / "configs"


def test_the_files_that_a_server_is_started_with_are_the_same() -> None:
    shown = {path.name: path.read_text() for path in (CONFIGS / "clickhouse-init").glob("*.sql")}
    assert shown == {name: sql_file(name) for name in SCHEMA_FILES}
    assert sorted(SCHEMA_FILES) == list(SCHEMA_FILES)


def test_rows_and_ddl_have_the_same_columns(tables: Sequence[Table]) -> None:
    assert check_declared(tables) == []


def test_the_ddl_has_the_tables_of_jobs_as_their_plugin_declares_them() -> None:
    """Columns, order, retention and notes: whoever makes them, they are the same."""
    jobs = [table for event_type in job_event_types() for table in event_type.tables]
    assert sorted(table.name for table in jobs) == sorted(TABLES_OF_JOBS)
    assert check_declared(jobs) == []
    sql = sql_file("01-schema.sql").replace(" DEFAULT ''", "").replace(" DEFAULT now64(3)", "")
    for table in jobs:
        assert plugin_table(table).strip() in sql, table.name


def test_no_table_of_the_ddl_is_without_rows(tables: Sequence[Table]) -> None:
    written = {table.name for table in [*tables, WITHDRAWN_TABLE, *INGESTED_TABLES]} | {*TABLES_OF_JOBS}
    assert set(declared([])) == written | {each.name for each in materialized()}
    assert not written & {each.name for each in materialized()}


def test_every_table_remembers_tokens_on_plain_and_on_replicated_engines(tables: Sequence[Table]) -> None:
    plugin = typed_table("plugin_events", Column("size", Kind.INT64), order_by=("size",))
    written = declared([*tables, plugin])
    stored = [each.name for each in materialized() if each.engine != "View"]
    for name in [*(table.name for table in tables), plugin.name, *stored]:
        assert written[name].settings == {
            "non_replicated_deduplication_window": 10_000,
            "replicated_deduplication_window": 10_000,
            "replicated_deduplication_window_seconds": 604_800,
        }


def test_every_table_has_a_view_under_its_older_name(tables: Sequence[Table]) -> None:
    views = set(re.findall(r"CREATE VIEW IF NOT EXISTS livepeer_analytics\.raw_(\w+) AS", sql_file("01-schema.sql")))
    assert views == {table.name for table in tables}


def test_a_changed_column_of_a_row_is_named() -> None:
    changed = typed_table(
        "discovery_results",
        Column("orchestrator_address", Kind.LABEL),
        Column("orchestrator_url", Kind.TEXT),
        Column("distance", Kind.FLOAT64, nullable=True),
        order_by=(),
    )
    assert [str(drift) for drift in check_declared([changed])] == [
        "discovery_results in 01-schema.sql: column orchestrator_address is String, expected LowCardinality(String)",
        "discovery_results in 01-schema.sql: column distance Nullable(Float64) is missing",
        "discovery_results in 01-schema.sql: column latency_ms UInt32 is not expected",
    ]


def test_another_database_takes_the_place_of_the_default_one() -> None:
    sql = "\n".join(statements([], "my_db"))
    assert "livepeer_analytics" not in sql
    assert sql.count("`my_db`.") == sum(sql_file(name).count("livepeer_analytics.") for name in SCHEMA_FILES)


def test_shown_text_is_the_schema_file_and_plugin_tables() -> None:
    plugin = typed_table("plugin_events", Column("size", Kind.INT64), order_by=("size",))
    shown = show([plugin], "livepeer_analytics")
    assert shown.startswith(sql_file(SCHEMA_FILES[0]))
    assert shown.count("CREATE TABLE IF NOT EXISTS livepeer_analytics.plugin_events") == 1
    assert shown.endswith(";\n")


@pytest.mark.parametrize("name", ["", "a b", "a`b", "a;DROP", "1a", "ä", "a.b", "a\n"])
def test_a_name_that_would_need_quoting_is_refused(name: str) -> None:
    with pytest.raises(SinkMisconfigured, match="letters, digits and underscores"):
        statements([], name)


def test_a_plugin_table_needs_the_leading_columns() -> None:
    with pytest.raises(SinkMisconfigured, match="typed_table"):
        statements([Table("t", (Column("a", Kind.TEXT),))], "livepeer_analytics")


def test_columns_that_facts_of_an_earlier_version_lack_are_added_and_shown(engine: Client, applied: str) -> None:
    new = ("attribution_status", "attribution_reason", "attribution_candidates")
    facts = ("fact_workflow_sessions", "fact_workflow_session_segments", "fact_stream_status_samples")
    for fact in facts:
        engine.command(f"CREATE OR REPLACE VIEW {applied}.{fact} AS SELECT org FROM {applied}.{fact}_versions FINAL")
        dropped = ", ".join(f"DROP COLUMN {column}" for column in new)
        engine.command(f"ALTER TABLE {applied}.{fact}_versions {dropped}")
    added = apply(engine, applied, [])
    assert set(added) == {f"{fact}_versions.{column}" for fact in facts for column in new}
    for fact in facts:
        engine.query(f"SELECT {', '.join(new)} FROM {applied}.{fact}")
    assert apply(engine, applied, []) == []


def test_a_column_of_a_sorting_key_is_added_with_the_key(engine: Client, applied: str) -> None:
    """Rows of two orgs would replace each other, and a column that is there cannot enter the key later."""
    latency = f"{applied}.fact_workflow_latency_samples"
    ((made,),) = engine.query(f"SHOW CREATE TABLE {latency}_versions").result_rows
    before = re.sub(r"\(workflow_session_id, org_key\)", "workflow_session_id", re.sub(r"`org_key` .*\n", "", made))
    engine.command(f"DROP TABLE {latency}_versions SYNC")
    engine.command(before)
    engine.command(f"INSERT INTO {latency}_versions (workflow_session_id, version) VALUES ('s|r', 1)")
    assert apply(engine, applied, []) == ["fact_workflow_latency_samples_versions.org_key"]
    of_a = "(org, org_key, workflow_session_id, version) VALUES ('a', 'a', 's|r', 2)"
    engine.command(f"INSERT INTO {latency}_versions {of_a}")
    assert engine.query(f"SELECT org, version FROM {latency} ORDER BY org").result_rows == [("", 1), ("a", 2)]
    assert apply(engine, applied, []) == []
