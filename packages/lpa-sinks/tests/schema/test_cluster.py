"""The DDL for a cluster; the embedded engine has none, so its parser judges."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.events.event_type import typed_table
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.table import Column, Kind, Table
from lpa_sinks.schema import show, statements
from lpa_sinks.schema.cluster import statements_on_cluster
from lpa_sinks.schema.ddl import declared

PLUGIN = typed_table("plugin_events", Column("size", Kind.INT64), order_by=("size",))


def test_every_statement_is_valid_sql(engine: Client, tables: Sequence[Table]) -> None:
    made = statements_on_cluster([*tables, PLUGIN], "my_db", "my_cluster")
    assert len(made) > len(statements([*tables, PLUGIN], "my_db"))
    for statement in made:
        formatted = engine.query("SELECT formatQuery({sql:String})", parameters={"sql": statement}).result_rows[0][0]
        assert "ON CLUSTER my_cluster" in formatted


def test_every_table_is_replicated_and_distributed_under_its_name(tables: Sequence[Table]) -> None:
    shown = show([*tables, PLUGIN], "db", cluster="c")
    local = re.findall(r"CREATE TABLE IF NOT EXISTS `db`\.(\w+)_local ON CLUSTER `c`\n\(", shown)
    over = re.findall(r"CREATE TABLE IF NOT EXISTS `db`\.(\w+) ON CLUSTER `c`\nAS `db`\.(\w+)_local\n", shown)
    stored = {each.name for each in declared([*tables, PLUGIN]).values() if each.engine != "View"}
    assert set(local) == stored
    assert dict(over) == {name: name for name in stored}
    assert len(re.findall(r"^ENGINE = Replicated", shown, re.MULTILINE)) == len(stored)


MERGED = "ReplicatedMergeTree({path})"
REPLACED = "ReplicatedReplacingMergeTree({path}, version, is_deleted)"


@pytest.mark.parametrize(
    ("table", "engine", "column"),
    [
        ("streaming_events", MERGED, "dedup_key"),
        ("ai_stream_status", MERGED, "raw_event_uid"),
        ("streaming_events_dlq", MERGED, "source_offset"),
        ("withdrawn_positions", MERGED, "source_offset"),
        ("plugin_events", MERGED, "raw_event_uid"),
        ("fact_workflow_sessions_versions", REPLACED, "workflow_session_id"),
        ("fact_jobs_versions", REPLACED, "job_id"),
        ("agg_stream_performance_1m_versions", REPLACED, "orchestrator_address"),
        ("agg_quality_benchmark_1d_versions", REPLACED, "pipeline"),
        ("fact_orchestrator_transport_bandwidth_versions", REPLACED, "orchestrator_address"),
    ],
)
def test_rows_of_one_key_are_on_one_shard(tables: Sequence[Table], table: str, engine: str, column: str) -> None:
    shown = show([*tables, PLUGIN], "livepeer_analytics", cluster="c")
    path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
    (local,) = re.findall(rf"\.{table}_local ON CLUSTER `c`\n\(.*?^(ENGINE = .*?)$", shown, re.MULTILINE | re.DOTALL)
    assert local == f"ENGINE = {engine.format(path=path)}"
    assert f"Distributed(`c`, livepeer_analytics, {table}_local, cityHash64({column}))" in shown


def test_a_cluster_whose_name_would_need_quoting_is_refused() -> None:
    with pytest.raises(SinkMisconfigured, match="letters, digits and underscores"):
        statements_on_cluster([], "db", "c; DROP")
